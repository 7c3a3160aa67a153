//! RollingUpdate: the new set up, the old ones down, within surge and unavailability.
//!
//! Upstream: pkg/controller/deployment/rolling.go (v1.36).

use super::plan::{Work, is_recreate, max_surge, max_unavailable};
use super::template::{available, replicas};
use crate::meta;
use k8s_openapi::api::apps::v1::ReplicaSet;

/// One step: up if possible, otherwise down.
pub(crate) fn step(work: &mut Work<'_>) {
    let Some(new) = &work.new else {
        return;
    };
    let name = meta::name(new).to_owned();
    let target = new_target(work, replicas(new));
    if work.resize(&name, target) {
        return;
    }
    scale_old_down(work);
}

fn new_target(work: &Work<'_>, current: i32) -> i32 {
    let wanted = work.wanted();
    if current >= wanted {
        wanted
    } else {
        new_size(work, current)
    }
}

/// The size that the surge allows the new set. Upstream: NewRSNewReplicas.
pub(crate) fn new_size(work: &Work<'_>, current: i32) -> i32 {
    let wanted = work.wanted();
    if is_recreate(work.spec) {
        return wanted;
    }
    let most = wanted.saturating_add(max_surge(work.spec));
    let total = work.total();
    if total >= most {
        return current;
    }
    current + (most - total).min(wanted - current)
}

fn scale_old_down(work: &mut Work<'_>) {
    let Some(new) = &work.new else {
        return;
    };
    if work.old.iter().map(replicas).sum::<i32>() == 0 {
        return;
    }
    let least = work.wanted() - max_unavailable(work.spec);
    let new_unavailable = replicas(new) - available(new);
    let most = work.total() - least - new_unavailable;
    if most <= 0 {
        return;
    }
    remove_unhealthy(work, most);
    remove_available(work, least);
}

/// The old pods that are not available go first: nobody misses them.
fn remove_unhealthy(work: &mut Work<'_>, most: i32) {
    shrink_old(work, most, |set| (replicas(set) - available(set)).max(0));
}

fn remove_available(work: &mut Work<'_>, least: i32) {
    let spare = work.all().map(available).sum::<i32>() - least;
    shrink_old(work, spare, replicas);
}

/// Takes up to `most` pods from the old sets, oldest first, each at most what `offer` says.
fn shrink_old(work: &mut Work<'_>, mut most: i32, offer: impl Fn(&ReplicaSet) -> i32) {
    let offers: Vec<_> = work
        .old
        .iter()
        .map(|set| (meta::name(set).to_owned(), replicas(set), offer(set)))
        .collect();
    for (name, size, offered) in offers {
        let taken = offered.min(most).min(size);
        if taken > 0 {
            work.resize(&name, size - taken);
            most -= taken;
        }
    }
}
