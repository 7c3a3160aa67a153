//! What every controller runs on: shared caches fed by watches, keyed work queues, bounded workers.
//!
//! A controller is a [`Reconciler`]: it is told a key, reads caches, and writes through the API.
//! Writes go into the caches at once (see [`cache`]), so a controller never acts twice on one fact
//! and needs no "expectations" as upstream's controllers have.

pub(crate) mod cache;
pub(crate) mod queue;
pub(crate) mod writer;

use crate::hub::Hub;
use cache::ObjectKey;
use jiff::Timestamp;
use queue::Queue;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tracing::{debug, warn};

/// The longest that one reconciliation may take before it is given up and retried.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a reconciliation failed; it will be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API refused or could not be reached.
    #[error("{0}")]
    Api(#[from] kube::Error),
    /// An object cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// The work waits for something that no watch reports.
    #[error("{0}")]
    NotYet(String),
}

impl Error {
    /// The API error's HTTP code, if it was one.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Api(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// The API's message where there is one, for events.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Api(kube::Error::Api(status)) => status.message.clone(),
            other => other.to_string(),
        }
    }

    /// Whether it tells of a race with another writer, which a retry settles.
    pub(crate) fn is_race(&self) -> bool {
        matches!(self.code(), Some(404 | 409))
    }
}

/// Makes a 404 of a request into `None`.
pub(crate) fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a reconciliation wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing, until something changes.
    Done,
    /// To be asked again after this long.
    After(Duration),
}

impl Next {
    /// Asks again at `due`, if that is given.
    pub(crate) fn at(due: Option<Timestamp>, now: Timestamp) -> Self {
        due.map_or(Self::Done, |due| Self::After(until(now, due)))
    }
}

/// How long from `now` until `due`; at least a millisecond, so that "now" does not spin.
pub(crate) fn until(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now))
        .unwrap_or(Duration::ZERO)
        .max(Duration::from_millis(1))
}

/// A controller: brings what is nearer to what should be, one key at a time.
pub(crate) trait Reconciler: Send + Sync + 'static {
    /// The name in logs.
    const NAME: &'static str;
    /// How many keys are worked on at once.
    const WORKERS: usize = 4;

    /// Works on one key. Called for one key at most once at a time.
    fn reconcile(
        &self,
        key: &ObjectKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Next, Error>> + Send;
}

/// Starts the workers of `controller` on `queue`, to begin once the caches are filled.
pub(crate) fn spawn<R: Reconciler>(
    tasks: &mut JoinSet<()>,
    controller: Arc<R>,
    queue: Arc<Queue>,
    hub: Arc<Hub>,
) {
    for _ in 0..R::WORKERS {
        let (controller, queue, hub) = (controller.clone(), queue.clone(), hub.clone());
        tasks.spawn(async move {
            hub.synced().await;
            work(&*controller, &queue).await;
        });
    }
}

async fn work<R: Reconciler>(controller: &R, queue: &Queue) {
    loop {
        let key = queue.next().await;
        let now = runtime::clock::now();
        match tokio::time::timeout(RECONCILE_TIMEOUT, controller.reconcile(&key, now)).await {
            Ok(Ok(next)) => {
                queue.forget(&key);
                if let Next::After(delay) = next {
                    queue.add_after(key.clone(), delay);
                }
            }
            Ok(Err(error)) => {
                if error.is_race() || matches!(error, Error::NotYet(_)) {
                    debug!(controller = R::NAME, %key, %error, "will try again");
                } else {
                    warn!(controller = R::NAME, %key, %error, "could not reconcile; will try again");
                }
                queue.add_rate_limited(key.clone());
            }
            Err(_) => {
                warn!(controller = R::NAME, %key, "reconciling took too long; will try again");
                queue.add_rate_limited(key.clone());
            }
        }
        queue.done(&key);
    }
}
