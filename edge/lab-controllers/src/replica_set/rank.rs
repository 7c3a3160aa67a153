//! Which pods go first when there are too many.
//!
//! Upstream: pkg/controller/controller_utils.go, ActivePodsWithRanks (v1.36).

use crate::meta;
use crate::pods;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The `number` pods of `active` that are deleted first; `related` are the pods beside which a pod
/// counts as doubled up on its node.
pub(crate) fn first_to_go(
    mut active: Vec<Arc<Pod>>,
    related: &[Arc<Pod>],
    number: usize,
    now: Timestamp,
) -> Vec<Arc<Pod>> {
    if number < active.len() {
        let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
        for pod in related {
            *on_node
                .entry(pods::node_name(pod).unwrap_or_default())
                .or_default() += 1;
        }
        let crowd = |pod: &Pod| {
            on_node
                .get(pods::node_name(pod).unwrap_or_default())
                .copied()
                .unwrap_or(0)
        };
        active.sort_by(|a, b| compare(a, b, (crowd(a), crowd(b)), now));
    }
    active.truncate(number);
    active
}

fn compare(a: &Pod, b: &Pod, crowds: (usize, usize), now: Timestamp) -> Ordering {
    let coarse = |pod: &Pod| {
        (
            pods::node_name(pod).is_some(),
            phase_rank(pod),
            pods::is_ready(pod),
            cost(pod),
        )
    };
    coarse(a)
        .cmp(&coarse(b))
        .then_with(|| crowds.1.cmp(&crowds.0))
        .then_with(|| by_age(pods::ready_since(a), pods::ready_since(b), (a, b), now))
        .then_with(|| pods::restarts(b).cmp(&pods::restarts(a)))
        .then_with(|| by_age(Some(meta::created(a)), Some(meta::created(b)), (a, b), now))
}

fn phase_rank(pod: &Pod) -> u8 {
    match pods::phase(pod) {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    }
}

fn cost(pod: &Pod) -> i32 {
    meta::annotation(pod, DELETION_COST)
        .and_then(|cost| cost.parse().ok())
        .unwrap_or(0)
}

/// The younger first; ages of the same power of two are equal, and the uid decides.
fn by_age(
    a: Option<Timestamp>,
    b: Option<Timestamp>,
    pods: (&Pod, &Pod),
    now: Timestamp,
) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Reverse(a).cmp(&Reverse(b));
    };
    magnitude(a, now)
        .cmp(&magnitude(b, now))
        .then_with(|| meta::uid(pods.0).cmp(meta::uid(pods.1)))
}

/// The power of two of the age in nanoseconds; -1 for no age.
fn magnitude(at: Timestamp, now: Timestamp) -> i64 {
    let age = now.duration_since(at).as_nanos();
    u128::try_from(age)
        .ok()
        .and_then(u128::checked_ilog2)
        .map_or(-1, i64::from)
}
