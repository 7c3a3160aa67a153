//! A deployment that was resized, or that is paused: its sets keep their proportions.
//!
//! Upstream: pkg/controller/deployment/sync.go, scale (v1.36).

use super::history;
use super::plan::{Work, is_recreate, max_surge};
use super::template::{available, replicas};
use crate::meta;
use k8s_openapi::api::apps::v1::ReplicaSet;

/// Whether the deployment's replicas changed since its sets were sized. Upstream: isScalingEvent.
pub(crate) fn is_scaling(work: &Work<'_>) -> bool {
    let active = work.all().filter(|set| replicas(set) > 0);
    let mut desired = active.filter_map(history::desired);
    desired.any(|desired| desired != work.wanted())
}

/// Sizes the sets for the deployment's replicas.
pub(crate) fn scale(work: &mut Work<'_>) {
    let wanted = work.wanted();
    if let Some(name) = active_or_latest(work) {
        let same = work
            .all()
            .any(|set| meta::name(set) == name && replicas(set) == wanted);
        if !same {
            work.resize(&name, wanted);
        }
        return;
    }
    if is_saturated(work) {
        let active: Vec<_> = work
            .old
            .iter()
            .filter(|set| replicas(set) > 0)
            .map(|set| meta::name(set).to_owned())
            .collect();
        for name in active {
            work.resize(&name, 0);
        }
        return;
    }
    if !is_recreate(work.spec) {
        scale_proportionally(work);
    }
}

/// The only active set, or the latest if none is; `None` if several are.
fn active_or_latest(work: &Work<'_>) -> Option<String> {
    let active: Vec<_> = work.all().filter(|set| replicas(set) > 0).collect();
    let chosen = match active.as_slice() {
        [] => work.new.as_ref().or(work.old.last()),
        [only] => Some(*only),
        _ => None,
    };
    chosen.map(|set| meta::name(set).to_owned())
}

/// Whether the new set alone is what the deployment wants. Upstream: IsSaturated.
fn is_saturated(work: &Work<'_>) -> bool {
    let wanted = work.wanted();
    work.new.as_ref().is_some_and(|set| {
        replicas(set) == wanted && history::desired(set) == Some(wanted) && available(set) == wanted
    })
}

fn scale_proportionally(work: &mut Work<'_>) {
    let wanted = work.wanted();
    let most = if wanted > 0 {
        wanted.saturating_add(max_surge(work.spec))
    } else {
        0
    };
    let mut active: Vec<ReplicaSet> = work
        .all()
        .filter(|set| replicas(set) > 0)
        .cloned()
        .collect();
    let to_add = most - active.iter().map(replicas).sum::<i32>();
    // The largest first; of equal ones the newest first when growing, the oldest when shrinking.
    active.sort_by_key(|set| {
        let age = meta::created(set).as_second();
        (-replicas(set), if to_add > 0 { -age } else { age })
    });
    let mut added = 0;
    let mut sizes: Vec<(String, i32)> = Vec::new();
    for set in &active {
        let share = share(work, set, most, to_add, added);
        added += share;
        sizes.push((meta::name(set).to_owned(), replicas(set) + share));
    }
    // What rounding left over goes to the largest.
    if let Some((_, size)) = sizes.first_mut() {
        *size = (*size + to_add - added).max(0);
    }
    for (name, size) in sizes {
        work.resize(&name, size);
    }
}

/// Upstream: GetReplicaSetProportion.
fn share(work: &Work<'_>, set: &ReplicaSet, most: i32, to_add: i32, added: i32) -> i32 {
    if to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = fraction(work, set, most);
    let allowed = to_add - added;
    if to_add > 0 {
        fraction.min(allowed)
    } else {
        fraction.max(allowed)
    }
}

/// Upstream: getReplicaSetFraction, in float64.
#[expect(clippy::cast_possible_truncation, reason = "a rounded count of pods")]
fn fraction(work: &Work<'_>, set: &ReplicaSet, most: i32) -> i32 {
    let size = replicas(set);
    if work.wanted() == 0 {
        return -size;
    }
    let status = work
        .deployment
        .status
        .as_ref()
        .and_then(|status| status.replicas);
    let before = history::maximum(set)
        .filter(|most| *most != 0)
        .or(status)
        .unwrap_or(0);
    if before == 0 {
        return 0;
    }
    (f64::from(size) * f64::from(most) / f64::from(before)).round() as i32 - size
}
