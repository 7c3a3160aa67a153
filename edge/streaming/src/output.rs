//! The writing side of one channel or stream, and the queue that all of a connection's share.

use crate::limits::CHUNK;
use bytes::Bytes;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::{CancellationToken, PollSender};

/// What a connection's writer has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// Bytes for a channel or stream; `end` closes that direction of it.
    Data { to: u32, payload: Bytes, end: bool },
    /// SPDY: a stream is accepted.
    Reply(u32),
    /// SPDY: a stream is refused or torn down, with the status code.
    Reset(u32, u32),
    /// SPDY: the answer to a ping.
    Pong(u32),
    /// Write what is queued, and end the connection.
    Close,
}

/// An [`AsyncWrite`] whose bytes go to the client. Waits when the client reads slowly.
pub struct Output {
    to: u32,
    queue: PollSender<Outgoing>,
    /// The client does not want any more.
    gone: CancellationToken,
    ended: bool,
    /// Counts the stream as open while this lives.
    _permit: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl Output {
    pub(crate) fn new(
        to: u32,
        queue: mpsc::Sender<Outgoing>,
        gone: CancellationToken,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            to,
            queue: PollSender::new(queue),
            gone,
            ended: false,
            _permit: permit,
        }
    }

    /// The channel or stream.
    pub(crate) fn id(&self) -> u32 {
        self.to
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gone.is_cancelled() || self.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.queue
            .poll_reserve(cx)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn send(&mut self, payload: Bytes, end: bool) -> io::Result<()> {
        let item = Outgoing::Data {
            to: self.to,
            payload,
            end,
        };
        self.queue
            .send_item(item)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_room(cx))?;
        let part = data.get(..CHUNK).unwrap_or(data);
        self.send(Bytes::copy_from_slice(part), false)?;
        Poll::Ready(Ok(part.len()))
    }

    /// What is queued will be written: the order of the queue is the order on the wire.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended || self.gone.is_cancelled() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_room(cx))?;
        self.ended = true;
        Poll::Ready(self.send(Bytes::new(), true))
    }
}
