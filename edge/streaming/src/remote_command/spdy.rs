//! Exec and attach over SPDY: one stream for each of error, stdin, stdout, stderr and resize.

use super::session::Ending;
use super::{Options, Resizes, Session, Size};
use crate::limits::Limits;
use crate::spdy::{Connection, Stream};
use crate::upgrade::StreamError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A size is a few dozen bytes.
const MAX_RESIZE: usize = 1024;

#[derive(Default)]
struct Streams {
    error: Option<Stream>,
    stdin: Option<Stream>,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    resize: Option<Stream>,
}

pub(super) async fn open<IO>(
    io: IO,
    options: Options,
    limits: Limits,
) -> Result<Session, StreamError>
where
    IO: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut connection = Connection::serve(io, limits)?;
    let streams = timeout(limits.creation, Streams::collect(&mut connection, options))
        .await
        .map_err(|_| StreamError::Creation)??;
    Ok(streams.into_session(connection))
}

impl Streams {
    async fn collect(connection: &mut Connection, options: Options) -> Result<Self, StreamError> {
        let mut streams = Self::default();
        while !streams.complete(options) {
            let stream = connection.accept().await.ok_or(StreamError::Gone)?;
            let place = match stream.headers.get("streamType") {
                Some("error") => &mut streams.error,
                Some("stdin") if options.stdin => &mut streams.stdin,
                Some("stdout") if options.stdout => &mut streams.stdout,
                Some("stderr") if options.stderr => &mut streams.stderr,
                Some("resize") if options.tty => &mut streams.resize,
                _ => {
                    connection.refuse(&stream).await;
                    continue;
                }
            };
            *place = Some(stream);
        }
        Ok(streams)
    }

    fn complete(&self, options: Options) -> bool {
        let have = |wanted: bool, stream: &Option<Stream>| !wanted || stream.is_some();
        self.error.is_some()
            && have(options.stdin, &self.stdin)
            && have(options.stdout, &self.stdout)
            && have(options.stderr, &self.stderr)
            && have(options.tty, &self.resize)
    }

    fn into_session(self, connection: Connection) -> Session {
        let closed = connection.closed();
        let queue = connection.queue();
        let (sizes, resize) = Resizes::channel();
        if let Some(stream) = self.resize {
            tokio::spawn(read_sizes(stream.input, sizes, closed.clone()));
        }
        let ids = [&self.stdout, &self.stderr]
            .into_iter()
            .flatten()
            .map(Stream::id)
            .collect();
        let guard = CancellationToken::new();
        let dropped = guard.clone();
        tokio::spawn(async move {
            // The connection lives as long as the session or the client.
            let ended = connection.closed();
            tokio::select! {
                () = dropped.cancelled() => {}
                () = ended.cancelled() => {}
            }
            drop(connection);
        });
        Session {
            stdin: self.stdin.map(|stream| stream.input),
            stdout: self.stdout.map(|stream| stream.output),
            stderr: self.stderr.map(|stream| stream.output),
            resize,
            closed,
            ending: Ending {
                queue,
                error: self.error.as_ref().map_or(0, Stream::id),
                outputs: ids,
                json: true,
                guard: guard.drop_guard(),
            },
        }
    }
}

/// Sizes come as JSON objects, one after the other, in pieces of any length.
async fn read_sizes(
    mut input: DuplexStream,
    sizes: watch::Sender<Size>,
    closed: CancellationToken,
) {
    let mut buffer = Vec::new();
    let mut piece = [0; 256];
    loop {
        let count = tokio::select! {
            count = input.read(&mut piece) => count.unwrap_or(0),
            () = closed.cancelled() => return,
            () = sizes.closed() => return,
        };
        if count == 0 || buffer.len() + count > MAX_RESIZE {
            return;
        }
        buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
        while let Some(end) = buffer.iter().position(|&byte| byte == b'}') {
            let object: Vec<u8> = buffer.drain(..=end).collect();
            if let Some(size) = Size::from_json(&object) {
                sizes.send_replace(size);
            }
        }
    }
}
