//! A ReplicaSet's status.
//!
//! Upstream: pkg/controller/replicaset/replica_set_utils.go (v1.36).

use crate::meta::{self, stamp};
use crate::pods;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;

pub(crate) use k8s_openapi::api::apps::v1::ReplicaSetStatus as Status;

fn min_ready_seconds(set: &ReplicaSet) -> i32 {
    set.spec
        .as_ref()
        .and_then(|spec| spec.min_ready_seconds)
        .unwrap_or(0)
}

/// The status that `owned` pods make; `failure` is why pods could not be made or deleted.
pub(crate) fn of(
    set: &ReplicaSet,
    owned: &[Arc<Pod>],
    failure: Option<String>,
    now: Timestamp,
) -> ReplicaSetStatus {
    let active: Vec<_> = owned.iter().filter(|pod| pods::is_active(pod)).collect();
    let count = |wanted: &dyn Fn(&Pod) -> bool| -> i32 {
        i32::try_from(active.iter().filter(|pod| wanted(pod)).count()).unwrap_or(i32::MAX)
    };
    let template = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
    let labels = template
        .and_then(|t| t.metadata.as_ref())
        .and_then(|meta| meta.labels.as_ref());
    let labelled = |pod: &Pod| labels.is_none_or(|l| l.is_empty() || meta::has_labels(pod, l));
    let terminating = owned.iter().filter(|pod| pods::is_terminating(pod)).count();
    ReplicaSetStatus {
        replicas: count(&|_| true),
        fully_labeled_replicas: nonzero(count(&labelled)),
        ready_replicas: nonzero(count(&pods::is_ready)),
        available_replicas: nonzero(count(&|pod| {
            pods::is_available(pod, min_ready_seconds(set), now)
        })),
        terminating_replicas: i32::try_from(terminating).ok(),
        observed_generation: set.metadata.generation,
        conditions: conditions(set, failure, now),
    }
}

/// Counts of zero are left out on the wire, so that two equal statuses compare equal.
pub(crate) fn nonzero(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

fn conditions(
    set: &ReplicaSet,
    failure: Option<String>,
    now: Timestamp,
) -> Option<Vec<ReplicaSetCondition>> {
    let old = set
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    let (mut failures, mut conditions): (Vec<_>, Vec<_>) = old
        .into_iter()
        .partition(|condition| condition.type_ == "ReplicaFailure");
    if let Some(message) = failure {
        let kept = failures.pop();
        conditions.push(kept.unwrap_or_else(|| ReplicaSetCondition {
            type_: "ReplicaFailure".into(),
            status: "True".into(),
            reason: Some("FailedCreate".into()),
            message: Some(message),
            last_transition_time: Some(stamp(now)),
        }));
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// When the next ready pod becomes available, if that is still to come.
pub(crate) fn next_availability(
    set: &ReplicaSet,
    owned: &[Arc<Pod>],
    now: Timestamp,
) -> Option<Timestamp> {
    let seconds = min_ready_seconds(set);
    let active = owned.iter().filter(|pod| pods::is_active(pod));
    active
        .filter_map(|pod| pods::available_at(pod, seconds))
        .filter(|at| *at > now)
        .min()
}
