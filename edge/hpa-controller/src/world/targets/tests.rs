//! What a target's scale is, and which of two is the newer.

use super::*;
use serde_json::{from_value, json};

fn deployment(version: &str, replicas: i32) -> Deployment {
    from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": version, "labels": {"a": "b"}},
        "spec": {"replicas": replicas, "template": {},
                 "selector": {"matchLabels": {"app": "web"},
                              "matchExpressions": [{"key": "tier", "operator": "In", "values": ["b", "a"]}]}},
        "status": {"replicas": 2},
    }))
    .unwrap()
}

fn known(events: impl IntoIterator<Item = Event<Deployment>>) -> Targets {
    let targets = Targets::default();
    assert_eq!(targets.scale(Known::Deployment, "shop", "web"), None);
    let mut listed = HashSet::new();
    for event in events {
        targets.change(Known::Deployment, |kind| {
            take(kind, Some(event), &mut listed);
        });
    }
    targets
}

fn apply(kind: &mut Kind, object: Deployment) {
    take(kind, Some(Event::Apply(object)), &mut HashSet::new());
}

fn replicas(targets: &Targets) -> Option<i32> {
    let scale = targets.scale(Known::Deployment, "shop", "web")?;
    scale.spec?.replicas
}

#[test]
fn a_deployments_scale_is_what_its_subresource_would_say() {
    let scale = deployment("7", 3).into_scale();
    let expected = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
        "spec": {"replicas": 3},
        "status": {"replicas": 2, "selector": "app=web,tier in (a,b)"},
    });
    assert_eq!(serde_json::to_value(scale).unwrap(), expected);
}

#[test]
fn a_replication_controllers_selector_is_a_map() {
    let controller: ReplicationController = from_value(json!({
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "old"},
        "spec": {"selector": {"app": "old"}},
    }))
    .unwrap();
    let scale = controller.into_scale();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
    assert_eq!(scale.status.unwrap().selector.as_deref(), Some("app=old"));
}

#[test]
fn nothing_is_known_before_all_were_listed() {
    let targets = known([Event::Init, Event::InitApply(deployment("1", 3))]);
    assert_eq!(replicas(&targets), None);
}

#[test]
fn what_we_wrote_ourselves_is_not_undone_by_an_older_event() {
    let targets = known([
        Event::Init,
        Event::InitApply(deployment("9", 3)),
        Event::InitDone,
    ]);
    targets.written(Known::Deployment, deployment("12", 5).into_scale());
    targets.change(Known::Deployment, |kind| {
        apply(kind, deployment("10", 3));
    });
    assert_eq!(replicas(&targets), Some(5));
    targets.change(Known::Deployment, |kind| {
        apply(kind, deployment("13", 4));
    });
    assert_eq!(replicas(&targets), Some(4));
}

#[test]
fn what_proved_old_is_asked_for_until_the_watch_says_more() {
    let targets = known([
        Event::Init,
        Event::InitApply(deployment("9", 3)),
        Event::InitDone,
    ]);
    targets.distrust(Known::Deployment, "shop", "web");
    assert_eq!(replicas(&targets), None);
    targets.change(Known::Deployment, |kind| {
        apply(kind, deployment("10", 4));
    });
    assert_eq!(replicas(&targets), Some(4));
}

#[test]
fn a_store_that_began_anew_is_believed() {
    let targets = known([
        Event::Init,
        Event::InitApply(deployment("900", 3)),
        Event::InitDone,
        Event::Init,
        Event::InitApply(deployment("5", 2)),
        Event::InitDone,
    ]);
    assert_eq!(replicas(&targets), Some(2));
}

#[test]
fn other_kinds_are_not_watched() {
    assert_eq!(Known::of("extensions", "Deployment"), None);
    assert_eq!(Known::of("apps", "Deployment"), Some(Known::Deployment));
    assert_eq!(
        Known::ReplicationController.scale_path("a", "b"),
        "/api/v1/namespaces/a/replicationcontrollers/b/scale"
    );
}
