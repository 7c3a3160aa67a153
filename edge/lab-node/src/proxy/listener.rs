//! One address that is served.

use super::backends::Backends;
use super::connection;
use super::plan::Target;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a failed accept (too many open files, mostly): waiting lets others close theirs.
const PAUSE: Duration = Duration::from_millis(50);

/// What all listeners of a lab share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    slots: Arc<Semaphore>,
    full: Arc<AtomicBool>,
    pub(super) connections: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

impl Shared {
    /// For at most `slots` connections at a time, until `shutdown`.
    pub(super) fn new(slots: usize, shutdown: CancellationToken) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            full: Arc::new(AtomicBool::new(false)),
            connections: TaskTracker::new(),
            shutdown,
        }
    }

    fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        let full = slot.is_none();
        if self.full.swap(full, Ordering::Relaxed) != full && full {
            tracing::warn!("too many connections to Services: new ones are closed until some end");
        }
        slot
    }
}

/// A listener at work.
#[derive(Debug)]
pub(super) struct Listener {
    backends: Arc<Backends>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen at `address`.
    pub(super) async fn bind(
        address: SocketAddr,
        target: Target,
        shared: &Shared,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let backends = Arc::new(Backends::new(target));
        let stop = shared.shutdown.child_token();
        let task = tokio::spawn(accept(
            socket,
            Arc::clone(&backends),
            shared.clone(),
            stop.clone(),
        ));
        Ok(Self {
            backends,
            stop,
            task,
        })
    }

    /// Changes what is behind it.
    pub(super) fn set(&self, target: Target) {
        self.backends.set(target);
    }

    /// Stops listening; returns when the address is free again. Connections go on, as upstream's do.
    pub(super) async fn close(self) {
        self.stop.cancel();
        // It ends by itself; a panic was reported by the runtime.
        drop(self.task.await);
    }
}

async fn accept(
    socket: TcpListener,
    backends: Arc<Backends>,
    shared: Shared,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((client, peer)) => match shared.slot() {
                Some(slot) => serve((client, peer), &backends, &shared, slot),
                None => connection::reset(client),
            },
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection to a Service");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn serve(
    (client, peer): (TcpStream, SocketAddr),
    backends: &Arc<Backends>,
    shared: &Shared,
    slot: OwnedSemaphorePermit,
) {
    let (backends, shutdown) = (Arc::clone(backends), shared.shutdown.clone());
    shared.connections.spawn(async move {
        tokio::select! {
            () = connection::forward(client, peer, &backends) => {}
            () = shutdown.cancelled() => {}
        }
        drop(slot);
    });
}
