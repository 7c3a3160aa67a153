//! How long and how much a connection may be.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Bounds of one upgraded connection. The defaults are the kubelet's.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A connection without data for so long is closed. Upstream: `--streaming-connection-idle-timeout`.
    pub idle: Duration,
    /// The client must open its streams within this time. Upstream: DefaultStreamCreationTimeout.
    pub creation: Duration,
    /// How often the connection is kept alive for middle boxes.
    pub ping: Duration,
    /// How long the client may take to close after it was told that all is done.
    pub linger: Duration,
    /// Streams open at one time in one SPDY connection.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(4 * 3600),
            creation: Duration::from_secs(30),
            ping: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            streams: 1024,
        }
    }
}

/// Bytes in one outgoing frame or message, at most.
pub(crate) const CHUNK: usize = 32 * 1024;
/// Frames waiting to be written; with [`CHUNK`] they bound a connection's memory at one MiB.
pub(crate) const QUEUE: usize = 32;
/// Bytes that wait for a slow reader before the client is slowed down.
pub(crate) const INPUT: usize = 256 * 1024;

/// When data last moved.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<Instant>);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    pub(crate) fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when nothing has moved for `limit`.
    pub(crate) async fn idle(&self, limit: Duration) {
        loop {
            let deadline = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + limit;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}
