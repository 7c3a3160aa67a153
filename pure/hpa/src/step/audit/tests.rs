//! What does not follow is found; and what is audited at random has every rule in it.

use super::audit;
use crate::samples::any::any_case;
use crate::samples::{NOW, remembering_nothing, seen, spec};
use crate::spec::{Behavior, Policy, PolicyKind, Rules, SelectPolicy, Spec};
use crate::step::{Calculation, Group, MetricStep, Step};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn steps(spec: &Spec) -> Vec<Step> {
    let mut seen = seen(&[100, 100, 100, 100]);
    seen.resource_metrics.iter_mut().for_each(|m| m.truncate(3));
    crate::decide(NOW, spec, &seen, &remembering_nothing()).steps
}

fn with_behavior() -> Spec {
    let rules = Rules {
        stabilization_window_seconds: Some(60),
        select: SelectPolicy::Max,
        policies: vec![Policy {
            kind: PolicyKind::Percent,
            value: 30,
            period_seconds: 60,
        }],
        tolerance: None,
    };
    Spec {
        behavior: Some(Behavior {
            up: rules.clone(),
            down: rules,
        }),
        ..spec(50)
    }
}

/// Changes the first step to which `change` applies, and gives what is said of that.
fn said(spec: &Spec, change: impl Fn(&mut Step) -> bool) -> String {
    let mut steps = steps(spec);
    audit(&steps).unwrap();
    assert!(steps.iter_mut().any(change), "there is nothing to change");
    audit(&steps).unwrap_err()
}

fn metric(change: impl Fn(&mut MetricStep)) -> String {
    said(&spec(50), |step| match step {
        Step::Metric(metric) => {
            change(metric);
            true
        }
        _ => false,
    })
}

#[test]
fn a_figure_that_does_not_follow_is_found_and_named() {
    let usage = metric(|m| m.pods[0].value = Some(99));
    assert_eq!(
        usage,
        "metric 0: first pass: the usage: the step says 300, recomputed it is 299"
    );
    let group = metric(|m| m.pods[0].group = Group::Ignored);
    assert!(group.contains("a pod's group"), "{group}");
    let assumed = metric(|m| m.pods[3].assumed = None);
    assert!(assumed.contains("assumed"), "{assumed}");
    let ratio = metric(|m| {
        if let Calculation::Pods { first, .. } = &mut m.calculation {
            first.ratio += 0.1;
        }
    });
    assert!(ratio.contains("the ratio"), "{ratio}");
    let proposal = metric(|m| {
        m.proposal.iter_mut().for_each(|p| p.replicas += 1);
    });
    assert!(proposal.contains("the proposal"), "{proposal}");
}

#[test]
fn a_transformation_that_does_not_follow_is_found_and_named() {
    let bound = said(&spec(50), |step| match step {
        Step::Bound(bound) => {
            bound.up_limit = 7;
            true
        }
        _ => false,
    });
    assert_eq!(
        bound,
        "the limit on scaling up: the step says 7, recomputed it is 8"
    );
    let rate = said(&with_behavior(), |step| match step {
        Step::Rate(rate) => {
            rate.policies[0].added = 1;
            true
        }
        _ => false,
    });
    assert_eq!(
        rate,
        "the replicas before: the step says 4, recomputed it is 3"
    );
    let held = said(&with_behavior(), |step| match step {
        Step::Stabilize(step) => {
            step.lowest = Some(1);
            true
        }
        _ => false,
    });
    assert!(held.contains("the lowest recommendation"), "{held}");
    let result = said(&spec(50), |step| match step {
        Step::Result { desired, .. } => {
            *desired += 1;
            true
        }
        _ => false,
    });
    assert!(result.contains("the result"), "{result}");
}

#[test]
fn steps_that_end_early_have_no_answer() {
    let mut steps = steps(&spec(50));
    steps.pop();
    assert_eq!(
        audit(&steps),
        Err("the steps end without a result".to_owned())
    );
}

#[test]
fn the_random_cases_know_every_rule() {
    let mut runner = TestRunner::deterministic();
    let mut all = String::new();
    for _ in 0..3_000 {
        let case = any_case().new_tree(&mut runner).unwrap().current();
        all.push_str(&format!("{:?}", case.decided().steps));
    }
    let rules = "Start Disabled OutsideBounds Metric Select Stabilize Rate Bound LiftFromZero Result Kept \
        WithinTolerance RatioTimesReadyPods RatioTimesFigures WithinToleranceAfterAssumptions DirectionTurned \
        AgainstDirection RatioFromZero ValueByTarget Deleting Failed Pending NoFigure HasFigure NeverObserved \
        StartingNotReady StartingTooFresh StartingReady NeverReady Settled";
    for rule in rules.split_whitespace() {
        let there = all
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == rule);
        assert!(there, "no random case has {rule}");
    }
}
