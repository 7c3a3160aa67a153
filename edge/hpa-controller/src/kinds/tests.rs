//! What an autoscaler of ours is in memory, and which kinds can be named.

use super::*;
use serde_json::json;

fn ours() -> Value {
    json!({"apiVersion": "evenkeel.dev/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", "generation": 2,
            "annotations": {"evenkeel.dev/handover": "x"}},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3, "paused": true},
        "status": {"observedGeneration": 2, "handover": "x", "desiredReplicas": 2}})
}

#[test]
fn kinds_are_named_by_group_and_version() {
    assert_eq!("autoscaling/v2".parse(), Ok(Kind::Autoscaling));
    assert_eq!("evenkeel.dev/v1".parse(), Ok(Kind::Evenkeel));
    let error = "autoscaling/v1".parse::<Kind>().unwrap_err();
    assert_eq!(
        error,
        "no kind of autoscalers is called that: there are autoscaling/v2 and evenkeel.dev/v1"
    );
}

#[test]
fn one_of_ours_is_an_upstream_object_with_annotations_and_events_about_itself() {
    let own = Autoscaler::own(&ours(), false);
    assert_eq!(own.problems, [""; 0]);
    let annotations = own.metadata.annotations.as_ref().unwrap();
    assert_eq!(annotations["evenkeel.dev/paused"], "true");
    let about = own.about();
    assert_eq!(about.api_version.as_deref(), Some("evenkeel.dev/v1"));
    assert_eq!(about.kind.as_deref(), Some("HorizontalPodAutoscaler"));
    assert_eq!(about.uid.as_deref(), Some("1"));
}

#[test]
fn a_status_is_stale_that_is_about_another_generation_or_answers_another_question() {
    assert!(!Autoscaler::own(&ours(), false).stale);
    for (path, value) in [
        ("/metadata/generation", json!(3)),
        ("/metadata/annotations/evenkeel.dev~1handover", json!("y")),
        ("/status/handover", Value::Null),
        ("/status", Value::Null),
    ] {
        let mut object = ours();
        *object.pointer_mut(path).unwrap() = value;
        assert!(Autoscaler::own(&object, false).stale, "{path}");
    }
}

#[test]
fn what_an_api_server_would_refuse_is_a_problem_and_no_panic() {
    let mut zero = ours();
    zero["spec"]["minReplicas"] = 0.into();
    zero["spec"]["metrics"] = json!([{"type": "External", "external": {"metric": {"name": "q"},
        "target": {"type": "Value", "value": 5}}}]);
    let problems = Autoscaler::own(&zero, false).problems;
    assert_eq!(
        problems,
        ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]
    );
    assert_eq!(Autoscaler::own(&zero, true).problems, [""; 0]);
    for (path, value) in [
        ("/spec", json!("none")),
        ("/spec/maxReplicas", json!("three")),
        ("/spec/maxReplicas", json!(-1)),
        ("/spec/scaleTargetRef", Value::Null),
        ("/status/desiredReplicas", json!("two")),
    ] {
        let mut object = ours();
        *object.pointer_mut(path).unwrap() = value;
        let own = Autoscaler::own(&object, false);
        assert!(!own.problems.is_empty(), "{path}");
        assert_eq!(own.metadata.name.as_deref(), Some("web"), "{path}");
    }
    assert!(!Autoscaler::own(&Value::Null, false).problems.is_empty());
}
