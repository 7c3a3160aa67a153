//! Who goes when an owner goes.

use super::graph::{Graph, Item, Standing, State, Verdict, verdict};
use crate::fixtures::{ago, object};
use serde_json::json;

fn item(uid: &str, owners: &[&str], finalizer: Option<&str>) -> Item {
    let owners: Vec<_> = owners
        .iter()
        .map(|owner| json!({"apiVersion": "apps/v1", "kind": "Owner", "name": owner, "uid": owner, "blockOwnerDeletion": true}))
        .collect();
    let meta = object(json!({
        "name": uid, "namespace": "a", "uid": uid, "ownerReferences": owners,
        "deletionTimestamp": finalizer.map(|_| ago(1).to_string()),
        "finalizers": finalizer.iter().collect::<Vec<_>>(),
    }));
    Item::new("apps", "Owner", &meta).unwrap()
}

#[test]
fn a_new_dependent_is_looked_at_and_so_are_all_when_their_owner_goes() {
    let mut graph = Graph::default();
    assert!(graph.apply(item("owner", &[], None)).is_empty());
    assert_eq!(graph.apply(item("one", &["owner"], None)), ["one"]);
    assert!(
        graph.apply(item("one", &["owner"], None)).is_empty(),
        "nothing new"
    );
    graph.apply(item("two", &["owner"], None));
    assert_eq!(graph.remove("owner"), ["one", "two"]);
}

#[test]
fn a_waiting_owner_looks_again_when_a_dependent_goes_or_lets_go() {
    let mut graph = Graph::default();
    graph.apply(item("one", &["owner"], None));
    graph.apply(item("two", &["owner"], None));
    assert_eq!(
        graph.apply(item("owner", &[], Some("foregroundDeletion"))),
        ["owner"]
    );
    assert_eq!(graph.get("owner").unwrap().state, State::Foreground);
    assert_eq!(graph.remove("one"), ["owner"]);
    assert_eq!(graph.apply(item("two", &[], None)), ["owner"]);
    assert_eq!(graph.dependents("owner").count(), 0);
}

#[test]
fn verdicts_are_upstreams() {
    let owners = |standings: &[Standing]| -> Vec<(String, Standing)> {
        standings
            .iter()
            .enumerate()
            .map(|(i, standing)| (i.to_string(), *standing))
            .collect()
    };
    use Standing::{Absent, Solid, Waiting};
    for (standings, dependents, expected) in [
        (&[][..], false, Verdict::Keep),
        (&[Solid], false, Verdict::Keep),
        (&[Solid, Absent], false, Verdict::Release(vec!["1".into()])),
        (&[Waiting, Solid], true, Verdict::Release(vec!["0".into()])),
        (&[Absent], true, Verdict::Delete { foreground: false }),
        (&[Waiting], false, Verdict::Delete { foreground: false }),
        (
            &[Waiting, Absent],
            true,
            Verdict::Delete { foreground: true },
        ),
    ] {
        assert_eq!(
            verdict(&owners(standings), dependents),
            expected,
            "{standings:?}"
        );
    }
}
