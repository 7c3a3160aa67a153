//! The taints that a node's state calls for.
//!
//! Upstream: node_lifecycle_controller.go, doNoScheduleTaintingPass, doNoExecuteTaintingPass (v1.36).

use super::health::readiness;
use crate::meta::stamp;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Taint};

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Conditions whose being true keeps pods away.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    (
        "NetworkUnavailable",
        "node.kubernetes.io/network-unavailable",
    ),
];

/// The taints that should be there, as key and effect.
fn wanted(node: &Node) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    let silent = match readiness(node) {
        "True" => None,
        "Unknown" => Some(UNREACHABLE),
        _ => Some(NOT_READY),
    };
    if let Some(key) = silent {
        wanted.extend([(key, "NoSchedule"), (key, "NoExecute")]);
    }
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let is_true = |kind: &str| {
        conditions
            .into_iter()
            .flatten()
            .any(|held| held.type_ == kind && held.status == "True")
    };
    for (kind, key) in PRESSURES {
        if is_true(kind) {
            wanted.push((key, "NoSchedule"));
        }
    }
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    wanted
}

fn is_ours(taint: &Taint) -> bool {
    let ours = [NOT_READY, UNREACHABLE, UNSCHEDULABLE];
    ours.contains(&taint.key.as_str()) || PRESSURES.iter().any(|(_, key)| *key == taint.key)
}

/// The node's taints as they should be; `None` if they are so.
pub(super) fn changed(node: &Node, now: Timestamp) -> Option<Vec<Taint>> {
    let held = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.clone())
        .unwrap_or_default();
    let wanted = wanted(node);
    let is_wanted = |taint: &Taint| {
        wanted
            .iter()
            .any(|(key, effect)| taint.key == *key && taint.effect == *effect)
    };
    let mut taints: Vec<Taint> = held
        .iter()
        .filter(|taint| !is_ours(taint) || is_wanted(taint))
        .cloned()
        .collect();
    for (key, effect) in &wanted {
        if !taints
            .iter()
            .any(|taint| taint.key == *key && taint.effect == *effect)
        {
            taints.push(Taint {
                key: (*key).to_owned(),
                value: None,
                effect: (*effect).to_owned(),
                time_added: Some(stamp(now)),
            });
        }
    }
    (taints != held).then_some(taints)
}
