//! One autoscaler's life: when it is looked at.
//!
//! Upstream: NewDefaultHPARateLimiter, whose interval is fixed.

use crate::kinds::Autoscaler;
use crate::observe::reads_samples;
use crate::pace::Pace;
use crate::reconcile::{Controller, Looked, names};
use crate::world::News;
use hpa::History;
use k8s::autoscaling::options;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// One look at an autoscaler takes no longer than this.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(120);
/// Where only some of its pods have new samples, the others are waited for, for so long.
const SETTLE: Duration = Duration::from_secs(1);
/// Places in the period where looks begin. What looks share stays in the processor's caches where several follow each other.
const PLACES: u32 = 32;

/// Why an autoscaler is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It is new, or its specification changed, or the sync period is over.
    Period,
    /// Its pods have new samples. Differs from upstream, which waits for the period.
    Samples,
}

/// An autoscaler, from the moment it is known until it is gone.
pub(crate) struct Member {
    pub(crate) controller: Arc<Controller>,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) object: watch::Receiver<Arc<Autoscaler>>,
    /// Rings when one of its pods has a new sample.
    pub(crate) bell: Arc<Notify>,
    /// It is to be looked at before its time, whatever its pods do.
    pub(crate) wake: Arc<Notify>,
}

/// What was found the last time.
struct Last {
    history: Option<History>,
    looked: Looked,
    /// As it was decided on.
    object: Arc<Autoscaler>,
}

impl Member {
    /// Lives until `stop`.
    ///
    /// Differs from upstream: a new or changed autoscaler is looked at at once, not after a whole period (as 1.37 will).
    pub(crate) async fn live(mut self, stop: CancellationToken) {
        let object = self.object.borrow_and_update().clone();
        let mut last = Last {
            history: None,
            looked: Looked::default(),
            object,
        };
        let life = async {
            self.look(&mut last, Occasion::Period).await;
            let mut pace = self.pace(&last.object);
            while let Some(occasion) = self.next(&mut pace, &last).await {
                self.look(&mut last, occasion).await;
                pace.follow(&last.object);
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = life => {}
        }
    }

    fn pace(&self, object: &HorizontalPodAutoscaler) -> Pace {
        let config = &self.controller.config;
        let part = if config.spread { place(object) } else { 1.0 };
        Pace::new(config.flags.sync_period, object, part)
    }

    /// Waits for the next reason to look; none when the autoscaler is gone.
    async fn next(&mut self, pace: &mut Pace, last: &Last) -> Option<Occasion> {
        loop {
            tokio::select! {
                () = pace.tick() => return Some(Occasion::Period),
                changed = self.object.changed() => {
                    changed.ok()?;
                    if wants_other(&last.object, &self.object.borrow_and_update()) {
                        return Some(Occasion::Period);
                    }
                }
                () = self.wake.notified() => return Some(Occasion::Period),
                () = self.bell.notified() => {
                    if reads_samples(&last.object) && self.settles(last).await {
                        return Some(pace.samples());
                    }
                }
            }
        }
    }

    /// Waits until all pods that were looked at have new samples, for a while; whether any has.
    async fn settles(&self, last: &Last) -> bool {
        let deadline = Instant::now() + SETTLE;
        let (namespace, _) = names(&last.object);
        let samples = &self.controller.world.samples;
        loop {
            let pods = last.looked.pods.iter().map(|pod| pod.name.as_str());
            match samples.news(namespace, pods, last.looked.stamp) {
                News::None => return false,
                News::All => return true,
                News::Some => {}
            }
            if timeout_at(deadline, self.bell.notified()).await.is_err() {
                return true;
            }
        }
    }

    async fn look(&mut self, last: &mut Last, occasion: Occasion) {
        let Ok(_permit) = self.permits.acquire().await else {
            return;
        };
        let told = self.object.borrow_and_update().clone();
        let object = newer(told, last.looked.written.take());
        let look = self.controller.reconcile(
            &object,
            (last.history.as_ref(), last.looked.replicas),
            occasion,
        );
        // In a box of its own: between looks an autoscaler needs no room for one.
        match timeout(RECONCILE_TIMEOUT, Box::pin(look)).await {
            Ok((history, looked)) => {
                last.history = history;
                last.looked = looked;
            }
            Err(_) => {
                let (namespace, name) = names(&object);
                warn!(namespace, name, "gave up on a look that took too long");
            }
        }
        last.object = object;
    }
}

/// Where in the period an autoscaler's ticks are, above 0 and up to 1: always at the same place for the same autoscaler.
/// A thousand of them that begin together do not go on together, but in bunches.
fn place(object: &HorizontalPodAutoscaler) -> f64 {
    let mut hasher = DefaultHasher::new();
    names(object).hash(&mut hasher);
    let part = u32::try_from(hasher.finish() % u64::from(PLACES)).unwrap_or_default();
    f64::from(part + 1) / f64::from(PLACES)
}

/// Whether something else is wanted than before: a status says only what was done.
fn wants_other(old: &HorizontalPodAutoscaler, new: &HorizontalPodAutoscaler) -> bool {
    old.spec != new.spec || options::of(old) != options::of(new)
}

/// The one that was written last: the watch may not have told yet of what we wrote ourselves.
fn newer(told: Arc<Autoscaler>, written: Option<Arc<Autoscaler>>) -> Arc<Autoscaler> {
    let version = |object: &HorizontalPodAutoscaler| -> Option<u64> {
        object.metadata.resource_version.as_deref()?.parse().ok()
    };
    match written {
        Some(written) if version(&written) > version(&told) => written,
        _ => told,
    }
}

#[cfg(test)]
mod tests;
