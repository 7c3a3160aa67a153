//! Jobs that ended and asked to be deleted some time after.
//!
//! Upstream: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go (v1.36).

use super::finished_at;
use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    jobs: Writer<Job>,
}

pub(super) fn start(setup: &mut Setup<'_>) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.jobs, &queue);
    let jobs = Writer::new(
        setup.client("ttl-after-finished-controller"),
        hub.jobs.clone(),
    );
    setup.controller(Controller { hub, jobs }, &queue);
}

/// When the job is to go.
pub(super) fn expiry(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.ttl_seconds_after_finished?;
    finished_at(job)?
        .checked_add(SignedDuration::from_secs(seconds.into()))
        .ok()
}

impl Reconciler for Controller {
    const NAME: &'static str = "ttl-after-finished";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let job = self
            .hub
            .jobs
            .get(key)
            .filter(|job| !meta::is_deleted(&**job));
        let Some((expiry, job)) = job.and_then(|job| Some((expiry(&job)?, job))) else {
            return Ok(Next::Done);
        };
        if expiry > now {
            return Ok(Next::at(Some(expiry), now));
        }
        self.jobs.delete(&*job).await?;
        Ok(Next::Done)
    }
}
