//! Which node a pod gets, and why it gets none.

use crate::{
    Amounts, Choice, Effect, Node, Operator, Pod, Preference, Requirement, Taint, Term, Toleration,
    choose,
};

fn amounts(cpu: i64, memory: i64) -> Amounts {
    [("cpu".to_owned(), cpu), ("memory".to_owned(), memory)].into()
}

fn node(name: &str, used_cpu: i64) -> Node {
    Node {
        name: name.into(),
        allocatable: amounts(2000, 8000),
        requested: amounts(used_cpu, 0),
        pods: (110, 1),
        ..Node::default()
    }
}

fn pod(cpu: i64) -> Pod {
    Pod {
        requests: amounts(cpu, 100),
        ..Pod::default()
    }
}

fn taint(effect: Effect) -> Taint {
    Taint {
        key: "dedicated".into(),
        value: "gpu".into(),
        effect,
    }
}

#[test]
fn the_emptier_node_is_chosen() {
    let choice = choose(&pod(100), &[node("a", 1500), node("b", 200)]);
    assert_eq!(choice, Choice::Node("b".into()));
}

#[test]
fn equally_good_nodes_are_taken_by_name() {
    let choice = choose(&pod(100), &[node("b", 0), node("a", 0)]);
    assert_eq!(choice, Choice::Node("a".into()));
}

#[test]
fn pods_of_one_owner_are_spread() {
    let crowded = Node {
        siblings: 2,
        ..node("a", 0)
    };
    let choice = choose(&pod(100), &[crowded, node("b", 800)]);
    assert_eq!(choice, Choice::Node("b".into()));
}

#[test]
fn what_does_not_fit_is_explained_as_upstream_does() {
    let tainted = Node {
        taints: vec![taint(Effect::NoSchedule)],
        ..node("a", 0)
    };
    let choice = choose(&pod(1000), &[tainted, node("b", 1500), node("c", 1900)]);
    let text = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. \
                no new claims to deallocate, preemption: 0/3 nodes are available: \
                1 Preemption is not helpful for scheduling, \
                2 No preemption victims found for incoming pod.";
    assert_eq!(choice, Choice::Nowhere(text.into()));
}

#[test]
fn a_pod_larger_than_any_node_cannot_be_helped() {
    let text = "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, \
                preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(
        choose(&pod(3000), &[node("a", 0)]),
        Choice::Nowhere(text.into())
    );
}

#[test]
fn no_nodes_have_their_own_sentence() {
    let text = "no nodes available to schedule pods";
    assert_eq!(choose(&pod(1), &[]), Choice::Nowhere(text.into()));
}

#[test]
fn a_toleration_opens_a_tainted_node() {
    let tainted = Node {
        taints: vec![taint(Effect::NoExecute)],
        ..node("a", 0)
    };
    let toleration = Toleration {
        key: "dedicated".into(),
        value: None,
        effect: None,
    };
    let tolerant = Pod {
        tolerations: vec![toleration],
        ..pod(100)
    };
    assert_eq!(choose(&tolerant, &[tainted]), Choice::Node("a".into()));
}

#[test]
fn required_terms_exclude_and_preferred_terms_attract() {
    let zoned = |name: &str, zone: &str, used: i64| Node {
        labels: [("zone".to_owned(), zone.to_owned())].into(),
        ..node(name, used)
    };
    let nodes = [
        zoned("a", "east", 0),
        zoned("b", "west", 1000),
        zoned("c", "north", 0),
    ];
    let term = |operator, zone: &str| Term {
        labels: vec![Requirement {
            key: "zone".into(),
            operator,
            values: vec![zone.into()],
        }],
        fields: Vec::new(),
    };
    let wanting = Pod {
        required: Some(vec![term(Operator::NotIn, "north")]),
        preferred: vec![Preference {
            weight: 10,
            term: term(Operator::In, "west"),
        }],
        ..pod(100)
    };
    assert_eq!(choose(&wanting, &nodes), Choice::Node("b".into()));
    let elsewhere = Pod {
        required: Some(vec![term(Operator::In, "south")]),
        ..pod(100)
    };
    assert!(
        matches!(choose(&elsewhere, &nodes), Choice::Nowhere(text) if text.contains("3 node(s) didn't match Pod's node affinity/selector"))
    );
}
