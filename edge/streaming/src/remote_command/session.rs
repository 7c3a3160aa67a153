//! What the kubelet gets: plain readers and writers, whatever the client speaks.

use super::ExitStatus;
use crate::output::{Outgoing, Output};
use bytes::Bytes;
use std::fmt;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// Reads `{"Width":80,"Height":24}`. Upstream: remotecommand.TerminalSize.
    pub(super) fn from_json(text: &[u8]) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_slice(text).ok()?;
        let field = |name: &str| value[name].as_u64().and_then(|n| u16::try_from(n).ok());
        Some(Self {
            width: field("Width")?,
            height: field("Height")?,
        })
    }
}

/// The sizes that a terminal takes on; only the newest counts.
#[derive(Debug)]
pub struct Resizes(watch::Receiver<Size>);

impl Resizes {
    pub(super) fn channel() -> (watch::Sender<Size>, Self) {
        let (sender, receiver) = watch::channel(Size::default());
        (sender, Self(receiver))
    }

    /// The next new size; `None` when there will be no more. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Size> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}

/// An open exec or attach. Dropping it cuts the connection; [`Session::finish`] ends it in order.
pub struct Session {
    /// The client's bytes; ends when the client's input ends.
    pub stdin: Option<DuplexStream>,
    /// Bytes for the client's standard output.
    pub stdout: Option<Output>,
    /// Bytes for the client's standard error.
    pub stderr: Option<Output>,
    /// The terminal's sizes.
    pub resize: Resizes,
    /// Cancelled when the client is gone.
    pub closed: CancellationToken,
    pub(super) ending: Ending,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("closed", &self.closed.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// How to tell the client that all is over.
pub(super) struct Ending {
    pub(super) queue: mpsc::Sender<Outgoing>,
    /// The channel or stream for the status.
    pub(super) error: u32,
    /// Channels or streams to end after it.
    pub(super) outputs: Vec<u32>,
    /// The status is JSON (v4 and later), not text.
    pub(super) json: bool,
    /// Ends the connection when dropped.
    pub(super) guard: DropGuard,
}

impl Session {
    /// Tells the client how the process ended, after all output that was written, and closes the connection.
    ///
    /// Call it when the output has been copied to its end. Returns when the client has closed, or has had its
    /// time to.
    pub async fn finish(self, status: ExitStatus) {
        let Self {
            ending,
            closed,
            stdin,
            ..
        } = self;
        // Nobody reads any more: what the client still sends is dropped, and does not keep it waiting.
        drop(stdin);
        let Ending {
            queue,
            error,
            outputs,
            json,
            guard,
        } = ending;
        let text = if json {
            status.to_json()
        } else {
            status.message()
        };
        let data = |to, payload, end| Outgoing::Data { to, payload, end };
        let mut items = Vec::new();
        if !text.is_empty() {
            items.push(data(error, Bytes::from(text), false));
        }
        items.extend(
            outputs
                .into_iter()
                .chain([error])
                .map(|to| data(to, Bytes::new(), true)),
        );
        items.push(Outgoing::Close);
        for item in items {
            // A queue that is closed means that the client is gone.
            if queue.send(item).await.is_err() {
                return;
            }
        }
        closed.cancelled().await;
        drop(guard);
    }
}
