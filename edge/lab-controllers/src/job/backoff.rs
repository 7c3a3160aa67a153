//! How long a job waits before it tries again after failures.
//!
//! Upstream: pkg/controller/job/backoff_utils.go (v1.36). Differs from upstream: the failures are
//! read off the pods that are still there instead of remembered.

use super::tally::{has_failed, has_succeeded};
use crate::meta;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;

const FIRST: SignedDuration = SignedDuration::from_secs(10);
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// When the next pod may be made; `None` for at once.
pub(super) fn until(job: &Job, pods: &[Arc<Pod>], now: Timestamp) -> Option<Timestamp> {
    let succeeded = pods
        .iter()
        .filter(|pod| has_succeeded(pod))
        .map(|pod| ended(pod))
        .max();
    let failures: Vec<Timestamp> = pods
        .iter()
        .filter(|pod| has_failed(job, pod))
        .map(|pod| ended(pod))
        .filter(|at| succeeded.is_none_or(|success| *at > success))
        .collect();
    let last = failures.iter().max()?;
    let doublings = i32::try_from(failures.len() - 1)
        .unwrap_or(i32::MAX)
        .min(10);
    let delay = FIRST
        .checked_mul(1 << doublings)
        .unwrap_or(LONGEST)
        .min(LONGEST);
    last.checked_add(delay).ok().filter(|at| *at > now)
}

/// When the pod's last container ended, as near as can be told.
fn ended(pod: &Pod) -> Timestamp {
    let containers = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let ends = containers.into_iter().flatten().filter_map(|container| {
        container
            .state
            .as_ref()?
            .terminated
            .as_ref()?
            .finished_at
            .as_ref()
            .map(|time| time.0)
    });
    let deleted = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    ends.max().or(deleted).unwrap_or_else(|| meta::created(pod))
}
