//! Which pods a selector picks.

use super::*;
use serde_json::{from_value, json};

fn pod(name: &str, app: &str) -> v1::Pod {
    from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "100m"}}}]},
    }))
    .unwrap()
}

fn picked(pods: &Pods, selector: &str) -> Option<Vec<String>> {
    let selector = LabelSelector::parse(selector).unwrap();
    let picked = pods.picked("shop", &selector)?;
    Some(picked.iter().map(|p| p.pod.name.clone()).collect())
}

fn told(events: impl IntoIterator<Item = Event<v1::Pod>>) -> Pods {
    let pods = Pods::default();
    let mut listed = HashSet::new();
    for event in events {
        take(&mut pods.write(), Some(event), &mut listed);
    }
    pods
}

#[test]
fn nothing_is_known_before_all_were_listed() {
    let pods = told([Event::Init, Event::InitApply(pod("web-1", "web"))]);
    assert_eq!(picked(&pods, "app=web"), None);
}

#[test]
fn pods_are_picked_by_their_labels_and_sorted_by_name() {
    let pods = told([
        Event::Init,
        Event::InitApply(pod("web-2", "web")),
        Event::InitApply(pod("db-1", "db")),
        Event::InitApply(pod("web-1", "web")),
        Event::InitDone,
    ]);
    assert_eq!(picked(&pods, "app=web").unwrap(), ["web-1", "web-2"]);
    assert_eq!(picked(&pods, "app").unwrap(), ["db-1", "web-1", "web-2"]);
    assert_eq!(picked(&pods, "app=none").unwrap(), [""; 0]);
}

#[test]
fn a_pod_with_other_labels_moves_and_a_deleted_one_goes() {
    let pods = told([
        Event::Init,
        Event::InitDone,
        Event::Apply(pod("web-1", "web")),
        Event::Apply(pod("web-2", "web")),
        Event::Apply(pod("web-1", "db")),
        Event::Delete(pod("web-2", "web")),
    ]);
    assert_eq!(picked(&pods, "app=web").unwrap(), [""; 0]);
    assert_eq!(picked(&pods, "app=db").unwrap(), ["web-1"]);
    assert!(
        !pods.read().namespaces["shop"]
            .groups
            .contains_key(&Labels::new([("app".to_owned(), "web".to_owned())].into()))
    );
}

#[test]
fn a_new_list_forgets_who_is_not_on_it() {
    let pods = told([
        Event::Init,
        Event::InitApply(pod("web-1", "web")),
        Event::InitDone,
        Event::Init,
        Event::InitApply(pod("web-2", "web")),
        Event::InitDone,
    ]);
    assert_eq!(picked(&pods, "app=web").unwrap(), ["web-2"]);
}

#[test]
fn the_labels_of_pods_are_told_once_for_each_set() {
    let pods = told([
        Event::Init,
        Event::InitApply(pod("web-1", "web")),
        Event::InitApply(pod("web-2", "web")),
        Event::InitDone,
    ]);
    let asked = ["web-1", "web-2", "unknown"].map(|name| ("shop", name));
    let found = pods.labels_of(asked.into_iter());
    assert_eq!(found.len(), 1);
    assert_eq!(found["shop"].len(), 1);
}
