//! How many pods a ReplicaSet makes, and which ones go.

use super::plan::{Count, count};
use super::{rank, status};
use crate::fixtures::{ago, now, object, pod};
use k8s_openapi::api::apps::v1::ReplicaSet;
use serde_json::{Value, json};

fn set(more: Value) -> ReplicaSet {
    let mut set = json!({
        "metadata": {"name": "web", "namespace": "a", "uid": "set", "generation": 4},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}},
        },
    });
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        set["spec"][key] = value;
    }
    object(set)
}

#[test]
fn the_difference_to_the_replicas_is_made_or_deleted() {
    let three = set(json!({}));
    assert_eq!(count(&three, 1), Count::Create(2));
    assert_eq!(count(&three, 3), Count::Right);
    assert_eq!(count(&three, 5), Count::Delete(2));
    assert_eq!(count(&set(json!({"replicas": null})), 0), Count::Create(1));
}

#[test]
fn those_that_serve_least_go_first() {
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let young = json!({"status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ago(2).to_string()}]}});
    let cheap =
        json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}});
    let pods = vec![
        pod("plain", &json!({})),
        pod("unready", &unready),
        pod("crowded-1", &json!({"spec": {"nodeName": "node-2"}})),
        pod("crowded-2", &json!({"spec": {"nodeName": "node-2"}})),
        pod(
            "pending",
            &json!({"status": {"phase": "Pending", "conditions": []}}),
        ),
        pod(
            "unassigned",
            &json!({"spec": {"nodeName": null}, "status": {"phase": "Pending", "conditions": []}}),
        ),
        pod("young", &young),
        pod("cheap", &cheap),
        pod(
            "restarted",
            &json!({"status": {"containerStatuses": [{"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 3}]}}),
        ),
    ];
    let related: Vec<_> = pods
        .iter()
        .filter(|pod| {
            pod.metadata
                .name
                .as_ref()
                .is_some_and(|n| n.starts_with("crowded") || n == "plain")
        })
        .cloned()
        .collect();
    let order: Vec<_> = rank::first_to_go(pods, &related, 8, now())
        .iter()
        .map(|pod| pod.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(
        order,
        [
            "unassigned",
            "pending",
            "unready",
            "cheap",
            "crowded-1",
            "crowded-2",
            "young",
            "restarted"
        ]
    );
}

#[test]
fn the_status_counts_what_is_ready_available_and_labelled() {
    let labelled = json!({"metadata": {"labels": {"app": "web"}}});
    let leaving = json!({"metadata": {"deletionTimestamp": ago(1).to_string()}});
    let pods = [
        pod("one", &labelled),
        pod("two", &json!({})),
        pod("three", &json!({"status": {"conditions": []}})),
        pod("four", &leaving),
        pod("five", &json!({"status": {"phase": "Failed"}})),
    ];
    let patient = set(json!({"minReadySeconds": 90}));
    let status = status::of(&patient, &pods, None, now());
    assert_eq!(
        (
            status.replicas,
            status.fully_labeled_replicas,
            status.ready_replicas,
            status.available_replicas,
            status.terminating_replicas
        ),
        (3, Some(1), Some(2), None, Some(1))
    );
    assert_eq!(status.observed_generation, Some(4));
    assert_eq!(
        status::next_availability(&patient, &pods, now()),
        Some(ago(-30))
    );
    let status = status::of(&set(json!({"minReadySeconds": 60})), &pods, None, now());
    assert_eq!(status.available_replicas, Some(2));
}

#[test]
fn a_failure_is_a_condition_until_it_is_over() {
    let mut set = set(json!({}));
    let failed = status::of(&set, &[], Some("no room".into()), ago(9));
    set.status = Some(failed.clone());
    assert_eq!(status::of(&set, &[], Some("no room".into()), now()), failed);
    assert_eq!(status::of(&set, &[], None, now()).conditions, None);
}
