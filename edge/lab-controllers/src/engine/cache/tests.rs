//! What a cache knows after writes and watches, in any order.

use super::{Cache, Handlers, ObjectKey};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use std::sync::{Arc, Mutex};

fn pod(name: &str, uid: &str, version: u64, owner: &str) -> Pod {
    let owners = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner, "controller": true}]);
    serde_json::from_value(json!({"metadata": {
        "namespace": "a", "name": name, "uid": uid, "resourceVersion": version.to_string(),
        "ownerReferences": if owner.is_empty() { json!([]) } else { owners },
    }}))
    .unwrap()
}

fn names(pods: &[Arc<Pod>]) -> Vec<String> {
    pods.iter()
        .map(|pod| pod.metadata.name.clone().unwrap())
        .collect()
}

#[test]
fn the_answer_to_a_write_is_seen_before_the_watch_tells() {
    let cache = Cache::<Pod>::default();
    cache.apply(pod("one", "1", 10, ""));
    cache.wrote(pod("two", "2", 11, "rs-uid"));
    assert_eq!(names(&cache.controlled_by("a", "rs-uid")), ["two"]);
    cache.apply(pod("two", "2", 11, "rs-uid"));
    assert_eq!(names(&cache.in_namespace("a")), ["one", "two"]);
}

#[test]
fn an_answer_that_the_watch_has_passed_does_not_bring_back_what_was_deleted() {
    let cache = Cache::<Pod>::default();
    cache.apply(pod("one", "1", 10, ""));
    cache.remove(&pod("one", "1", 12, ""));
    cache.wrote(pod("one", "1", 11, ""));
    assert!(cache.all().is_empty());
}

#[test]
fn an_older_event_does_not_replace_a_newer_answer() {
    let cache = Cache::<Pod>::default();
    cache.apply(pod("one", "1", 10, ""));
    cache.wrote(pod("one", "1", 15, "rs-uid"));
    cache.apply(pod("one", "1", 12, ""));
    assert_eq!(names(&cache.controlled_by("a", "rs-uid")), ["one"]);
    assert!(cache.controlled_by("a", "").is_empty());
}

#[test]
fn a_new_list_drops_what_it_does_not_name_and_tells_each_change() {
    let cache = Cache::<Pod>::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut handlers = Handlers::default();
    let seen = told.clone();
    handlers.on(move |change: &super::Change<'_, Pod>| {
        let name = change
            .any()
            .and_then(|pod| pod.metadata.name.clone())
            .unwrap();
        seen.lock()
            .unwrap()
            .push((name, change.old.is_some(), change.new.is_some()));
    });
    cache.listen(handlers);
    cache.replace(vec![pod("one", "1", 1, ""), pod("two", "2", 2, "")]);
    told.lock().unwrap().clear();
    cache.replace(vec![pod("two", "2", 5, ""), pod("three", "3", 4, "")]);
    let mut changes = told.lock().unwrap().clone();
    changes.sort();
    assert_eq!(
        changes,
        [
            ("one".to_owned(), true, false),
            ("three".to_owned(), false, true),
            ("two".to_owned(), true, true)
        ]
    );
    assert!(cache.get(&ObjectKey::new("a", "one")).is_none());
}
