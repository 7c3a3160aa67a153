//! A SPDY connection as a source of streams.

use super::{Decoder, Encoder, Frame, Headers, SpdyError};
use crate::limits::{Activity, INPUT, Limits, QUEUE};
use crate::output::{Outgoing, Output};
use bytes::{Bytes, BytesMut};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex,
    split,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// RST_STREAM: the sender broke the rules.
const PROTOCOL_ERROR: u32 = 1;
/// RST_STREAM: too many streams.
const REFUSED_STREAM: u32 = 3;
/// RST_STREAM: no longer wanted.
const CANCEL: u32 = 5;

/// A stream that the client opened: bytes in, bytes out.
pub struct Stream {
    /// What it is for.
    pub headers: Headers,
    /// The client's bytes; ends when the client is done.
    pub input: DuplexStream,
    /// Bytes for the client; `shutdown` says that there are no more.
    pub output: Output,
    /// Cancelled when the client tears the stream down.
    pub reset: CancellationToken,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// The stream's number.
    pub fn id(&self) -> u32 {
        self.output.id()
    }
}

/// A running connection. Dropping it tears it down; [`Connection::close`] ends it in order.
#[derive(Debug)]
pub struct Connection {
    incoming: mpsc::Receiver<Stream>,
    queue: mpsc::Sender<Outgoing>,
    closed: CancellationToken,
    _guard: DropGuard,
}

impl Connection {
    /// Serves a connection that is SPDY from its next byte on.
    pub fn serve<IO>(io: IO, limits: Limits) -> Result<Self, SpdyError>
    where
        IO: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let (streams, incoming) = mpsc::channel(QUEUE);
        let closed = CancellationToken::new();
        let stop = CancellationToken::new();
        let (read, write) = split(io);
        let activity = Arc::new(Activity::new());
        let reader = Reader {
            io: read,
            open: HashMap::new(),
            streams,
            queue: queue.clone(),
            places: Arc::new(Semaphore::new(limits.streams)),
            last: 0,
            closed: closed.clone(),
            activity: Arc::clone(&activity),
        };
        let writer = Writer {
            io: write,
            encoder: Encoder::new()?,
            outgoing,
            activity: Arc::clone(&activity),
        };
        let done = closed.clone().drop_guard();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let _done = done;
            tokio::select! {
                () = drive(reader, writer, limits) => {}
                () = activity.idle(limits.idle) => tracing::debug!("closing an idle spdy connection"),
                () = stopped.cancelled() => {}
            }
        });
        Ok(Self {
            incoming,
            queue,
            closed,
            _guard: stop.drop_guard(),
        })
    }

    /// The next stream that the client opens; `None` when there will be no more.
    pub async fn accept(&mut self) -> Option<Stream> {
        self.incoming.recv().await
    }

    /// Cancelled when the connection has ended.
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// What stays when the connection is handed to someone who opens no more streams.
    pub(crate) fn queue(&self) -> mpsc::Sender<Outgoing> {
        self.queue.clone()
    }

    /// Refuses a stream that is not what was expected.
    pub async fn refuse(&self, stream: &Stream) {
        // A closed queue means that the connection is gone anyway.
        let _ = self.queue.send(Outgoing::Reset(stream.id(), CANCEL)).await;
    }

    /// Writes what is queued, lets the client close, and ends the connection.
    pub async fn close(self) {
        if self.queue.send(Outgoing::Close).await.is_ok() {
            self.closed.cancelled().await;
        }
    }
}

async fn drive<IO: AsyncRead + AsyncWrite>(reader: Reader<IO>, writer: Writer<IO>, limits: Limits) {
    let mut reading = std::pin::pin!(reader.run());
    let mut writer = writer;
    let written = tokio::select! {
        ended = &mut reading => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a spdy connection ended");
            }
            return;
        }
        written = writer.run(limits) => written,
    };
    if written.is_ok() {
        // The client closes when it has seen the end of its streams. Closing first could lose what its workers
        // have not looked at yet: spdystream drops frames that it has read when the connection ends.
        let _ = timeout(limits.linger, &mut reading).await;
        let _ = writer.say_goodbye().await;
    }
}

struct Reader<IO> {
    io: ReadHalf<IO>,
    /// Streams whose client side is still open.
    open: HashMap<u32, OpenStream>,
    streams: mpsc::Sender<Stream>,
    queue: mpsc::Sender<Outgoing>,
    places: Arc<Semaphore>,
    /// The newest stream; numbers only grow.
    last: u32,
    closed: CancellationToken,
    activity: Arc<Activity>,
}

struct OpenStream {
    input: DuplexStream,
    reset: CancellationToken,
}

impl<IO: AsyncRead> Reader<IO> {
    async fn run(mut self) -> io::Result<()> {
        let mut decoder = Decoder::default();
        let mut buffer = BytesMut::with_capacity(16 * 1024);
        loop {
            while let Some(frame) = decoder.decode(&mut buffer).map_err(io::Error::other)? {
                self.handle(frame).await;
            }
            if self.io.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn handle(&mut self, frame: Frame) {
        match frame {
            Frame::SynStream {
                stream,
                headers,
                fin,
            } => self.open_stream(stream, headers, fin).await,
            Frame::Data {
                stream,
                payload,
                fin,
            } => self.data(stream, payload, fin).await,
            Frame::Headers {
                stream, fin: true, ..
            } => {
                self.open.remove(&stream);
            }
            Frame::RstStream { stream, .. } => {
                if let Some(open) = self.open.remove(&stream) {
                    open.reset.cancel();
                }
            }
            // Odd numbers are the client's pings, even ones the answers to ours. A full queue shows life enough.
            Frame::Ping(id) if !id.is_multiple_of(2) => {
                let _ = self.queue.try_send(Outgoing::Pong(id));
            }
            Frame::Ping(_)
            | Frame::GoAway { .. }
            | Frame::SynReply { .. }
            | Frame::Headers { .. }
            | Frame::Ignored(_) => {}
        }
    }

    async fn open_stream(&mut self, id: u32, headers: Headers, fin: bool) {
        if id.is_multiple_of(2) || id <= self.last {
            return self.send(Outgoing::Reset(id, PROTOCOL_ERROR)).await;
        }
        self.last = id;
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            return self.send(Outgoing::Reset(id, REFUSED_STREAM)).await;
        };
        self.activity.touch();
        let (near, far) = duplex(INPUT);
        // A reset stream and a closed connection are the same to who writes.
        let reset = self.closed.child_token();
        let output = Output::new(id, self.queue.clone(), reset.clone(), Some(permit));
        if !fin {
            self.open.insert(
                id,
                OpenStream {
                    input: near,
                    reset: reset.clone(),
                },
            );
        }
        self.send(Outgoing::Reply(id)).await;
        let stream = Stream {
            headers,
            input: far,
            output,
            reset,
        };
        if self.streams.send(stream).await.is_err() {
            self.open.remove(&id);
            self.send(Outgoing::Reset(id, CANCEL)).await;
        }
    }

    async fn data(&mut self, id: u32, payload: Bytes, fin: bool) {
        self.activity.touch();
        if let Some(open) = self.open.get_mut(&id) {
            // An error means that nobody reads any more: the bytes are dropped, as a closed pipe would.
            let _ = open.input.write_all(&payload).await;
        }
        if fin {
            self.open.remove(&id);
        }
    }

    async fn send(&mut self, item: Outgoing) {
        // A closed queue means that the connection is ending.
        let _ = self.queue.send(item).await;
    }
}

struct Writer<IO> {
    io: WriteHalf<IO>,
    encoder: Encoder,
    outgoing: mpsc::Receiver<Outgoing>,
    activity: Arc<Activity>,
}

impl<IO: AsyncWrite> Writer<IO> {
    /// Ends when all is written and [`Outgoing::Close`] was read.
    async fn run(&mut self, limits: Limits) -> io::Result<()> {
        let mut out = BytesMut::new();
        let mut pings = interval(limits.ping);
        // The first tick is at once, and there is nothing to keep alive yet.
        pings.tick().await;
        let mut ping: u32 = 0;
        loop {
            let next = tokio::select! {
                next = self.outgoing.recv() => next,
                _ = pings.tick() => {
                    ping = ping.wrapping_add(2);
                    Some(Outgoing::Pong(ping))
                }
            };
            let Some(next) = next else { return Ok(()) };
            let close = next == Outgoing::Close;
            self.encode(next, &mut out)?;
            // Takes along what else is ready, and flushes once.
            if self.outgoing.is_empty() || close || out.len() >= INPUT {
                self.io.write_all(&out).await?;
                self.io.flush().await?;
                out.clear();
            }
            if close {
                return Ok(());
            }
        }
    }

    fn encode(&mut self, item: Outgoing, out: &mut BytesMut) -> io::Result<()> {
        let headers = Headers::default;
        let frame = match item {
            Outgoing::Data { to, payload, end } => {
                self.activity.touch();
                Frame::Data {
                    stream: to,
                    payload,
                    fin: end,
                }
            }
            Outgoing::Reply(stream) => Frame::SynReply {
                stream,
                headers: headers(),
                fin: false,
            },
            Outgoing::Reset(stream, status) => Frame::RstStream { stream, status },
            Outgoing::Pong(id) => Frame::Ping(id),
            Outgoing::Close => return Ok(()),
        };
        self.encoder.encode(&frame, out).map_err(io::Error::other)
    }

    async fn say_goodbye(&mut self) -> io::Result<()> {
        let mut out = BytesMut::new();
        self.encoder
            .encode(&Frame::GoAway { last: 0, status: 0 }, &mut out)
            .map_err(io::Error::other)?;
        self.io.write_all(&out).await?;
        self.io.shutdown().await
    }
}
