//! A StatefulSet's status.

use super::identity::revision;
use super::plan::{Revisions, is_rolling, partition};
use crate::meta;
use crate::pods;
use crate::replica_set::nonzero;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;

fn min_ready_seconds(set: &StatefulSet) -> i32 {
    set.spec
        .as_ref()
        .and_then(|spec| spec.min_ready_seconds)
        .unwrap_or(0)
}

/// The status that `owned` pods make. Upstream: updateStatefulSet and completeRollingUpdate.
pub(super) fn of(
    set: &StatefulSet,
    revisions: &Revisions,
    owned: &[Arc<Pod>],
    now: Timestamp,
) -> StatefulSetStatus {
    let count = |wanted: &dyn Fn(&Pod) -> bool| -> i32 {
        let there = owned.iter().filter(|pod| !pods::is_finished(pod));
        i32::try_from(there.filter(|pod| wanted(pod)).count()).unwrap_or(i32::MAX)
    };
    let current = meta::name(&*revisions.current);
    let update = meta::name(&*revisions.update);
    let of_revision =
        |name: &str| count(&|pod| pods::is_active(pod) && revision(pod) == Some(name));
    let replicas = count(&|_| true);
    let ready = count(&pods::is_ready);
    let updated = of_revision(update);
    let complete = is_rolling(set)
        && partition(set) == 0
        && updated == replicas
        && ready == replicas
        && set
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1)
            == replicas;
    StatefulSetStatus {
        replicas,
        ready_replicas: nonzero(ready),
        available_replicas: Some(count(&|pod| {
            pods::is_available(pod, min_ready_seconds(set), now)
        })),
        current_replicas: nonzero(if complete {
            updated
        } else {
            of_revision(current)
        }),
        updated_replicas: nonzero(updated),
        current_revision: Some(if complete { update } else { current }.to_owned()),
        update_revision: Some(update.to_owned()),
        observed_generation: set.metadata.generation,
        collision_count: Some(0),
        conditions: set
            .status
            .as_ref()
            .and_then(|status| status.conditions.clone()),
    }
}

/// When the next ready pod becomes available, if that is still to come.
pub(super) fn next_availability(
    set: &StatefulSet,
    owned: &[Arc<Pod>],
    now: Timestamp,
) -> Option<Timestamp> {
    let seconds = min_ready_seconds(set);
    owned
        .iter()
        .filter_map(|pod| pods::available_at(pod, seconds))
        .filter(|at| *at > now)
        .min()
}
