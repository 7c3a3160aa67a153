//! What pods request, and the accounts of nodes.

use super::accounts::Accounts;
use super::convert;
use crate::fixtures::{object, pod};
use k8s_openapi::api::core::v1::Node;
use serde_json::json;

fn node() -> node_plan::Node {
    let node: Node = object(json!({
        "metadata": {"name": "node-1"},
        "status": {"allocatable": {"cpu": "1500m", "memory": "2Gi", "pods": "7"}},
    }));
    convert::node(&node)
}

#[test]
fn a_pod_requests_its_containers_or_its_largest_beginning() {
    let request = |cpu: &str| json!({"requests": {"cpu": cpu}});
    let pod = pod(
        "one",
        &json!({"spec": {
            "containers": [{"name": "a", "resources": request("200m")}, {"name": "b", "resources": request("300m")}],
            "initContainers": [
                {"name": "sidecar", "restartPolicy": "Always", "resources": request("100m")},
                {"name": "once", "resources": request("1")},
            ],
        }}),
    );
    assert_eq!(convert::requests(&pod)["cpu"], 1100);
}

#[test]
fn the_accounts_count_each_pod_once_and_forget_it() {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "set", "uid": "set", "controller": true}]);
    let containers =
        json!([{"name": "main", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}}]);
    let pod = pod(
        "one",
        &json!({"metadata": {"ownerReferences": owner}, "spec": {"containers": containers}}),
    );
    let mut accounts = Accounts::default();
    accounts.place(&pod, "node-1");
    accounts.place(&pod, "node-1");
    let filled = accounts.fill(node(), Some("set"));
    assert_eq!(
        (filled.requested["cpu"], filled.requested["memory"]),
        (250, 1 << 30)
    );
    assert_eq!((filled.pods, filled.siblings), ((7, 1), 1));
    assert!(accounts.remove("one"));
    assert!(!accounts.remove("one"));
    assert_eq!(accounts.fill(node(), Some("set")), node());
}
