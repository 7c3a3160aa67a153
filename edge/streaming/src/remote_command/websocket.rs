//! Exec and attach over a WebSocket: the first byte of each message names its channel.

use super::session::Ending;
use super::{Options, Resizes, Session, Size};
use crate::limits::{Activity, INPUT, Limits, QUEUE};
use crate::output::{Outgoing, Output};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

const STDIN: u8 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const ERROR: u32 = 3;
const RESIZE: u8 = 4;
/// v5: the payload is the number of the channel that the client closes.
const CLOSE: u8 = 255;

/// What the versions of the protocol differ in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Protocol {
    /// The status is a JSON object (v4).
    json: bool,
    /// The client can close its stdin (v5).
    half_close: bool,
}

impl Protocol {
    pub(super) fn named(name: &str) -> Self {
        let half_close = name.starts_with("v5.");
        Self {
            json: half_close || name.starts_with("v4."),
            half_close,
        }
    }
}

type Socket<IO> = WebSocketStream<IO>;

pub(super) async fn open<IO>(
    io: IO,
    options: Options,
    protocol: Protocol,
    limits: Limits,
) -> Session
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sink, stream) = crate::websocket::server(io).await.split();
    let (queue, outgoing) = mpsc::channel(QUEUE);
    let closed = CancellationToken::new();
    let stop = CancellationToken::new();
    let (sizes, resize) = Resizes::channel();
    let (near, far) = duplex(INPUT);
    let activity = Arc::new(Activity::new());
    let reader = Reader {
        stream,
        stdin: options.stdin.then_some(near),
        sizes: options.tty.then_some(sizes),
        half_close: protocol.half_close,
        activity: Arc::clone(&activity),
    };
    let writer = Writer {
        sink,
        outgoing,
        activity: Arc::clone(&activity),
    };
    let outputs = [(options.stdout, STDOUT), (options.stderr, STDERR)];
    let [stdout, stderr] = outputs
        .map(|(wanted, id)| wanted.then(|| Output::new(id, queue.clone(), closed.clone(), None)));
    // Upstream sends an empty message first: it tells the client that the streams are there.
    let first = outputs
        .into_iter()
        .find(|(wanted, _)| *wanted)
        .map_or(ERROR, |(_, id)| id);
    let _ = queue
        .send(Outgoing::Data {
            to: first,
            payload: Bytes::new(),
            end: false,
        })
        .await;
    let done = closed.clone().drop_guard();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let _done = done;
        tokio::select! {
            () = drive(reader, writer, limits) => {}
            () = activity.idle(limits.idle) => tracing::debug!("closing an idle websocket"),
            () = stopped.cancelled() => {}
        }
    });
    let stdin = options.stdin.then_some(far);
    let ending = Ending {
        queue,
        error: ERROR,
        outputs: Vec::new(),
        json: protocol.json,
        guard: stop.drop_guard(),
    };
    Session {
        stdin,
        stdout,
        stderr,
        resize,
        closed,
        ending,
    }
}

async fn drive<IO>(reader: Reader<IO>, mut writer: Writer<IO>, limits: Limits)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut reading = std::pin::pin!(reader.run());
    let written = tokio::select! {
        () = &mut reading => return,
        written = writer.run(limits) => written,
    };
    match written {
        // The client answers the close, and then the connection is done.
        Ok(()) => {
            let _ = timeout(limits.linger, reading).await;
        }
        Err(error) => tracing::debug!(%error, "a websocket ended"),
    }
}

struct Reader<IO> {
    stream: SplitStream<Socket<IO>>,
    stdin: Option<DuplexStream>,
    sizes: Option<watch::Sender<Size>>,
    half_close: bool,
    activity: Arc<Activity>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Reader<IO> {
    /// Ends with the connection.
    async fn run(mut self) {
        while let Some(message) = self.stream.next().await {
            let payload = match message {
                Ok(Message::Binary(payload)) => payload,
                Ok(Message::Text(text)) => Bytes::from(text),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                // The library answers a close; the next read ends the connection.
                Ok(Message::Close(_)) => continue,
                Err(error) => {
                    tracing::debug!(%error, "a websocket ended");
                    return;
                }
            };
            self.activity.touch();
            self.handle(payload).await;
        }
    }

    async fn handle(&mut self, mut message: Bytes) {
        let Ok(channel) = message.try_get_u8() else {
            return;
        };
        match channel {
            STDIN => {
                if let Some(stdin) = &mut self.stdin
                    && stdin.write_all(&message).await.is_err()
                {
                    // The process reads no more: what comes is dropped, as a closed pipe would.
                    self.stdin = None;
                }
            }
            RESIZE => {
                if let (Some(sizes), Some(size)) = (&self.sizes, Size::from_json(&message)) {
                    sizes.send_replace(size);
                }
            }
            CLOSE if self.half_close && message.first() == Some(&STDIN) => self.stdin = None,
            _ => {}
        }
    }
}

struct Writer<IO> {
    sink: SplitSink<Socket<IO>, Message>,
    outgoing: mpsc::Receiver<Outgoing>,
    activity: Arc<Activity>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Writer<IO> {
    /// Ends when all is written and the close is sent.
    async fn run(&mut self, limits: Limits) -> Result<(), Error> {
        let mut pings = interval(limits.ping);
        // The first tick is at once, and there is nothing to keep alive yet.
        pings.tick().await;
        loop {
            let next = tokio::select! {
                next = self.outgoing.recv() => next,
                _ = pings.tick() => {
                    self.sink.send(Message::Ping(Bytes::new())).await?;
                    continue;
                }
            };
            match next {
                Some(Outgoing::Data {
                    to,
                    payload,
                    end: false,
                }) => {
                    self.activity.touch();
                    self.sink.send(message(to, &payload)).await?;
                }
                // Channels that end say nothing; SPDY's words mean nothing here.
                Some(
                    Outgoing::Data { .. }
                    | Outgoing::Reply(_)
                    | Outgoing::Reset(..)
                    | Outgoing::Pong(_),
                ) => {}
                Some(Outgoing::Close) | None => {
                    let normal = CloseFrame {
                        code: CloseCode::Normal,
                        reason: "".into(),
                    };
                    return self.sink.send(Message::Close(Some(normal))).await;
                }
            }
        }
    }
}

fn message(channel: u32, payload: &[u8]) -> Message {
    let mut message = BytesMut::with_capacity(payload.len() + 1);
    message.put_u8(u8::try_from(channel).unwrap_or(u8::MAX));
    message.put_slice(payload);
    Message::Binary(message.freeze())
}
