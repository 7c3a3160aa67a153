//! Rules by example, and what must hold for any target.

use super::decide;
use crate::decision::{CurrentMetrics, Decision};
use crate::history::History;
use crate::observation::{Observation, Ready};
use crate::samples::{NOW, ago, remembering_nothing, seen, spec};
use crate::spec::{Behavior, Policy, PolicyKind, Rules, SelectPolicy, Spec};
use crate::step::{Group, GroupRule, Step};
use std::sync::Arc;
use units::Duration;

mod options;
mod properties;

fn decided(spec: &Spec, seen: &Observation) -> Decision {
    decide(NOW, spec, seen, &remembering_nothing())
}

fn reason(decision: &Decision, kind: &str) -> String {
    let found = decision.outcome.conditions.iter().find(|c| c.kind == kind);
    found.map_or_else(String::new, |c| format!("{}={}", c.reason, c.status))
}

#[test]
fn twice_the_target_asks_for_twice_the_pods() {
    let decision = decided(&spec(50), &seen(&[100, 100, 100]));
    assert_eq!(decision.desired_replicas, 6);
    assert_eq!(
        decision.rescale.unwrap().reason,
        "cpu resource utilization (percentage of request) above target"
    );
    assert!(matches!(
        decision.outcome.current_metrics,
        CurrentMetrics::Read(_)
    ));
}

#[test]
fn the_first_decision_does_not_scale_down() {
    let decision = decide(NOW, &spec(50), &seen(&[1, 1, 1]), &History::default());
    assert_eq!(decision.desired_replicas, 3);
    assert_eq!(reason(&decision, "AbleToScale"), "ScaleDownStabilized=True");
}

#[test]
fn without_behavior_it_at_most_doubles() {
    let decision = decided(&spec(10), &seen(&[100, 100, 100]));
    assert_eq!(decision.desired_replicas, 6);
    assert_eq!(reason(&decision, "ScalingLimited"), "ScaleUpLimit=True");
}

#[test]
fn a_young_pod_without_a_whole_window_counts_as_idle_on_the_way_up() {
    let mut seen = seen(&[100, 100, 100]);
    let pod = Arc::make_mut(&mut seen.pods[2]);
    pod.start_time = Some(ago(20));
    pod.ready = Some(Ready {
        status: Some(true),
        last_transition: ago(15),
    });
    let decision = decided(&spec(50), &seen);
    // (100 + 100 + 0) / 300 = 66 %, 66/50 × 3 = 3.96.
    assert_eq!(decision.desired_replicas, 4);
    let metric = decision.steps.iter().find_map(|s| match s {
        Step::Metric(metric) => Some(metric),
        _ => None,
    });
    let young = metric.unwrap().pods[2];
    assert_eq!(
        (young.group, young.rule, young.assumed),
        (Group::Unready, GroupRule::StartingTooFresh, Some(0))
    );
}

#[test]
fn a_policy_limits_how_fast_pods_are_added() {
    let rules = |value| Rules {
        stabilization_window_seconds: Some(0),
        select: SelectPolicy::Max,
        policies: vec![Policy {
            kind: PolicyKind::Pods,
            value,
            period_seconds: 60,
        }],
        tolerance: None,
    };
    let spec = Spec {
        behavior: Some(Behavior {
            up: rules(1),
            down: rules(4),
        }),
        ..spec(50)
    };
    let first = decided(&spec, &seen(&[100, 100, 100]));
    assert_eq!(first.desired_replicas, 4);
    assert_eq!(first.outcome.history.ups.len(), 1);
    // Within the same minute there is nothing left to add.
    let later = NOW.plus(Duration::from_seconds(15));
    let second = decide(
        later,
        &spec,
        &seen(&[100, 100, 100, 100]),
        &first.outcome.history,
    );
    assert_eq!((second.desired_replicas, second.rescale.clone()), (4, None));
    assert_eq!(reason(&second, "ScalingLimited"), "ScaleUpLimit=True");
}

#[test]
fn a_refused_change_is_not_remembered_as_made() {
    let decision = decided(&spec(50), &seen(&[100, 100, 100]));
    let refused = decision.refused(NOW, "no");
    assert_eq!(refused.history.ups, []);
    assert!(!refused.scaled_now);
    assert_eq!(refused.events.last().unwrap().reason, "FailedRescale");
}
