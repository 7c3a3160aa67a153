//! What field selectors may name, and what they read.

use super::{check, custom_value, value};
use crate::resources::find;
use serde_json::json;

#[test]
fn every_kind_has_its_name_and_namespace() {
    let deployments = find("apps", "v1", "deployments").expect("deployments");
    let object = json!({"metadata": {"name": "a", "namespace": "b"}});
    assert_eq!(
        value(deployments, &object, "metadata.name").as_deref(),
        Some("a")
    );
    assert_eq!(
        value(deployments, &object, "metadata.namespace").as_deref(),
        Some("b")
    );
}

#[test]
fn a_pods_fields_read_as_upstream_reads_them() {
    let pods = find("", "v1", "pods").expect("pods");
    let pod = json!({"spec": {"nodeName": "node-1"}, "status": {"phase": "Running", "podIPs": [{"ip": "127.1.1.1"}]}});
    for (label, expected) in [
        ("spec.nodeName", "node-1"),
        ("spec.host", "node-1"),
        ("spec.hostNetwork", "false"),
        ("status.phase", "Running"),
        ("status.podIP", "127.1.1.1"),
        ("spec.schedulerName", ""),
    ] {
        assert_eq!(
            value(pods, &pod, label).as_deref(),
            Some(expected),
            "{label}"
        );
    }
}

#[test]
fn events_say_where_they_come_from() {
    let events = find("", "v1", "events").expect("events");
    let event = json!({"involvedObject": {"name": "x"}, "reportingComponent": "c"});
    assert_eq!(
        value(events, &event, "involvedObject.name").as_deref(),
        Some("x")
    );
    assert_eq!(value(events, &event, "source").as_deref(), Some("c"));
    let new = find("events.k8s.io", "v1", "events").expect("events");
    assert!(check(new, "regarding.name").is_ok());
    assert!(check(new, "involvedObject.name").is_err());
}

#[test]
fn other_fields_are_refused_in_upstreams_words() {
    let refusal = |group, resource, label| {
        check(find(group, "v1", resource).expect("a resource"), label).expect_err("refused")
    };
    assert_eq!(
        refusal("", "pods", "spec.foo"),
        "field label not supported: spec.foo"
    );
    assert_eq!(
        refusal("batch", "jobs", "x"),
        "field label \"x\" not supported for Job"
    );
    assert_eq!(
        refusal("apps", "replicasets", "status.replicas"),
        "\"status.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
}

#[test]
fn custom_resources_have_the_fields_that_they_list() {
    let fields = [json!({"jsonPath": ".spec.color"})];
    let object = json!({"spec": {"color": "blue", "size": 3}});
    assert_eq!(
        custom_value(&fields, &object, "spec.color").as_deref(),
        Some("blue")
    );
    assert_eq!(custom_value(&fields, &object, "spec.size"), None);
}
