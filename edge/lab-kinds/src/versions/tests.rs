//! Objects in their other versions.

use super::{convert, storage_version};
use serde_json::json;

#[test]
fn an_event_is_the_same_event_in_both_groups() {
    let core = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "count": 2,
        "involvedObject": {"kind": "Pod", "name": "p"}, "message": "m", "reason": "R", "type": "Normal",
        "source": {"component": "c"}, "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:01Z", "eventTime": null,
        "reportingComponent": "c", "reportingInstance": "",
    });
    let new = convert("v1", "events.k8s.io/v1", "Event", core.clone()).expect("converts");
    assert_eq!(new["regarding"]["name"], "p");
    assert_eq!(
        (&new["note"], &new["deprecatedCount"]),
        (&json!("m"), &json!(2))
    );
    assert_eq!(
        convert("events.k8s.io/v1", "v1", "Event", new).expect("converts back"),
        core
    );
}

#[test]
fn autoscalers_are_kept_as_v2_and_events_in_the_core_group() {
    assert_eq!(
        storage_version("autoscaling", "horizontalpodautoscalers"),
        Some(("autoscaling", "v2"))
    );
    assert_eq!(storage_version("events.k8s.io", "events"), Some(("", "v1")));
    assert_eq!(storage_version("apps", "deployments"), None);
    assert!(convert("v1", "v2", "Pod", json!({})).is_err());
}
