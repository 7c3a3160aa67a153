//! When a node counts as lost, and what happens to its pods.

use super::health::{Sign, unknown};
use super::{eviction, taints};
use crate::fixtures::{ago, now, object, pod};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

fn node(ready: &str, spec: &Value) -> Node {
    object(json!({
        "metadata": {"name": "node-1"}, "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": ago(500).to_string()}]},
    }))
}

fn lease(renewed: i64) -> Lease {
    object(json!({
        "metadata": {"name": "node-1", "namespace": "kube-node-lease"},
        "spec": {"renewTime": ago(renewed).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()},
    }))
}

#[test]
fn silence_counts_from_the_last_change_that_was_seen() {
    let node = node("True", &json!({}));
    let first = Sign::observe(None, &node, Some(&lease(300)), ago(30));
    assert_eq!(
        first.silent_at(),
        ago(-10),
        "an old lease is no silence when first seen"
    );
    let same = Sign::observe(Some(&first), &node, Some(&lease(300)), now());
    assert_eq!(same.silent_at(), ago(-10));
    let renewed = Sign::observe(Some(&first), &node, Some(&lease(5)), now());
    assert_eq!(renewed.silent_at(), ago(-40));
}

#[test]
fn a_silent_node_is_unknown_in_all_conditions_once() {
    let node = node("True", &json!({}));
    let conditions = unknown(&node, now()).unwrap();
    assert_eq!(conditions.as_array().unwrap().len(), 4);
    assert_eq!(
        conditions[0]["message"],
        "Kubelet stopped posting node status."
    );
    let status = json!({"metadata": {"name": "node-1"}, "status": {"conditions": conditions}});
    assert_eq!(unknown(&object(status), now()), None);
}

#[test]
fn taints_follow_the_state_and_leave_others_alone() {
    let own = json!([{"key": "dedicated", "effect": "NoSchedule"}]);
    let silent = node("Unknown", &json!({"taints": own}));
    let added = taints::changed(&silent, now()).unwrap();
    let keys: Vec<_> = added
        .iter()
        .map(|taint| format!("{}:{}", taint.key, taint.effect))
        .collect();
    assert_eq!(
        keys,
        [
            "dedicated:NoSchedule",
            "node.kubernetes.io/unreachable:NoSchedule",
            "node.kubernetes.io/unreachable:NoExecute"
        ]
    );
    let well = node(
        "True",
        &json!({"taints": serde_json::to_value(&added).unwrap()}),
    );
    let left = taints::changed(&well, now()).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(
        taints::changed(&node("True", &json!({"taints": own})), now()),
        None
    );
}

#[test]
fn pods_leave_when_they_tolerate_no_longer() {
    let taint = json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": ago(100).to_string()}]);
    let node = node("Unknown", &json!({"taints": taint}));
    assert_eq!(
        eviction::due(&node, &pod("plain", &json!({}))),
        Some(ago(100))
    );
    let tolerating = |seconds: Value| {
        let toleration = json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]);
        pod("tolerant", &json!({"spec": {"tolerations": toleration}}))
    };
    assert_eq!(
        eviction::due(&node, &tolerating(json!(300))),
        Some(ago(-200))
    );
    assert_eq!(eviction::due(&node, &tolerating(Value::Null)), None);
}
