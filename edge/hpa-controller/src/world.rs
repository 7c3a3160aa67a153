//! What the controller sees without asking: pods, scales and samples, each kept by a watch.
//!
//! Every part is a help and none is a condition: until a watch has begun, and where the cluster does not let it,
//! the question goes to the API, as upstream's controller asks it.

mod pods;
mod samples;
mod targets;

pub(crate) use pods::{Candidate, Pods};
pub(crate) use samples::{Heard, News, Samples};
pub(crate) use targets::Targets;

use futures::{Stream, StreamExt, TryStreamExt};
use kube::Client;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// All that is watched.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) pods: Pods,
    pub(crate) targets: Targets,
    pub(crate) samples: Samples,
}

impl World {
    /// Keeps it until `shutdown`. `wake` is told of the pods that have new samples; without it samples are not watched.
    pub(crate) async fn keep(
        self: Arc<Self>,
        client: Client,
        wake: Option<impl Fn(&[Heard]) + Send>,
        shutdown: CancellationToken,
    ) {
        let samples = async {
            match wake {
                Some(wake) => samples::keep(client.clone(), &self.samples, wake).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pods::keep(client.clone(), &self.pods) => {}
            () = samples => {}
            () = targets::keep(client.clone(), Arc::clone(&self)) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// How long until a watch that is not allowed is tried again.
const REFUSED: Duration = Duration::from_secs(300);

/// Follows a watch until it is dropped; `take` gets what it tells, and `None` when it is not allowed.
async fn follow<K, S>(what: &str, begin: impl Fn() -> S, mut take: impl FnMut(Option<Event<K>>))
where
    S: Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    K: Send,
{
    let mut told = false;
    loop {
        let mut events = begin().default_backoff().boxed();
        while let Some(event) = events.try_next().await.transpose() {
            match event {
                Ok(event) => take(Some(event)),
                Err(error) if refused(&error) => {
                    take(None);
                    if !std::mem::replace(&mut told, true) {
                        warn!(
                            what,
                            %error,
                            "may not watch; asking again and again instead: allow list and watch to save requests"
                        );
                    }
                    break;
                }
                Err(error) => debug!(what, %error, "a watch was interrupted; trying again"),
            }
        }
        tokio::time::sleep(REFUSED).await;
    }
}

/// Whether the API does not allow it, rather than fails.
fn refused(error: &watcher::Error) -> bool {
    use watcher::Error;
    let inner = match error {
        Error::InitialListFailed(inner)
        | Error::WatchStartFailed(inner)
        | Error::WatchFailed(inner) => inner,
        Error::WatchError(status) => return status.code == 403,
        Error::NoResourceVersion => return false,
    };
    matches!(inner, kube::Error::Api(status) if status.code == 403)
}
