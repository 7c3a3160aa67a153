//! Whether a node has been heard of lately.
//!
//! Upstream: node_lifecycle_controller.go, tryUpdateNodeHealth (v1.36). As there, what counts is
//! when a change was seen here, not the time that the node wrote: clocks may differ.

use crate::meta::stamp;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use serde_json::{Value, json};

/// Upstream: --node-monitor-grace-period was 40 s for long, and is 50 s since 1.32.
const GRACE: SignedDuration = SignedDuration::from_secs(40);
const KINDS: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// The last sign of life.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sign {
    renewed: Option<Timestamp>,
    heartbeat: Option<Timestamp>,
    seen: Timestamp,
}

fn condition<'a>(node: &'a Node, kind: &str) -> Option<&'a NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// The status of the node's Ready condition.
pub(super) fn readiness(node: &Node) -> &str {
    condition(node, "Ready").map_or("", |ready| ready.status.as_str())
}

pub(super) fn is_ready(node: &Node) -> bool {
    readiness(node) == "True"
}

impl Sign {
    /// What is known now, `before` being what was known.
    pub(super) fn observe(
        before: Option<&Self>,
        node: &Node,
        lease: Option<&Lease>,
        now: Timestamp,
    ) -> Self {
        let renewed = lease.and_then(|lease| lease.spec.as_ref()?.renew_time.as_ref());
        let renewed = renewed.map(|time| time.0);
        let ready = condition(node, "Ready");
        let heartbeat = ready
            .and_then(|ready| ready.last_heartbeat_time.as_ref())
            .map(|t| t.0);
        // What we wrote ourselves is no sign of life.
        let heartbeat = heartbeat.filter(|_| readiness(node) != "Unknown");
        let seen = match before {
            Some(before)
                if renewed <= before.renewed
                    && (heartbeat.is_none() || heartbeat <= before.heartbeat) =>
            {
                before.seen
            }
            _ => now,
        };
        Self {
            renewed,
            heartbeat,
            seen,
        }
    }

    /// When the node counts as silent.
    pub(super) fn silent_at(&self) -> Timestamp {
        self.seen.checked_add(GRACE).unwrap_or(self.seen)
    }
}

/// The conditions of a node that has fallen silent; `None` if they say so already.
pub(super) fn unknown(node: &Node, now: Timestamp) -> Option<Value> {
    let changed: Vec<Value> = KINDS
        .iter()
        .filter(|kind| condition(node, kind).is_none_or(|held| held.status != "Unknown"))
        .map(|kind| {
            let held = condition(node, kind);
            let (reason, message) = match held {
                Some(_) => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
                None => (
                    "NodeStatusNeverUpdated",
                    "Kubelet never posted node status.",
                ),
            };
            let heartbeat = held.and_then(|held| held.last_heartbeat_time.clone());
            json!({
                "type": kind, "status": "Unknown", "reason": reason, "message": message,
                "lastHeartbeatTime": heartbeat, "lastTransitionTime": stamp(now),
            })
        })
        .collect();
    (!changed.is_empty()).then_some(Value::Array(changed))
}
