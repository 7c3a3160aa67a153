//! What counts as other and as newer.

use super::*;
use serde_json::{from_value, json};

fn object(version: &str, max: i32, desired: i32) -> Arc<Autoscaler> {
    let object = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": version},
        "spec": {"maxReplicas": max, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        "status": {"desiredReplicas": desired},
    });
    let object: HorizontalPodAutoscaler = from_value(object).unwrap();
    Arc::new(object.into())
}

#[test]
fn a_status_wants_nothing_else_and_a_specification_does() {
    assert!(!wants_other(&object("1", 5, 1), &object("2", 5, 2)));
    assert!(wants_other(&object("1", 5, 1), &object("2", 6, 1)));
}

#[test]
fn what_was_written_counts_until_the_watch_tells_of_it() {
    let told = object("10", 5, 1);
    let written = object("12", 5, 3);
    assert_eq!(newer(told.clone(), Some(written.clone())), written);
    let later = object("13", 5, 4);
    assert_eq!(newer(later.clone(), Some(written)), later);
    assert_eq!(newer(told.clone(), None), told);
}

#[test]
fn samples_concern_who_asks_what_pods_use() {
    let reads = |kinds: &[&str]| {
        let metrics = kinds.iter().map(|kind| json!({"type": kind}));
        let object = json!({
            "metadata": {},
            "spec": {
                "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "metrics": metrics.collect::<Vec<_>>(),
            },
        });
        reads_samples(&from_value(object).unwrap())
    };
    assert!(reads(&["External", "Resource"]) && reads(&["ContainerResource"]));
    assert!(!reads(&["External", "Object", "Pods"]) && !reads(&[]));
}
