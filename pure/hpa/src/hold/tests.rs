//! Pausing, freezing and dry runs, by example: what is done, said and remembered.

use crate::decide;
use crate::decision::{Decision, Rescale};
use crate::history::{History, Recommendation};
use crate::hold::{Holder, Withheld};
use crate::observation::{Observation, ScaleProblem, ScaleStep};
use crate::options::{Direction, Options};
use crate::samples::{NOW, ago, remembering_nothing, seen, spec};
use crate::spec::{Behavior, Policy, PolicyKind, Rules, SelectPolicy, Spec};
use crate::step::{Step, audit};

const ABOVE: &str = "cpu resource utilization (percentage of request) above target";

fn with(options: Options) -> Spec {
    Spec {
        options,
        ..spec(50)
    }
}

fn paused() -> Options {
    Options {
        paused: true,
        ..Options::default()
    }
}

fn frozen(direction: Direction) -> Options {
    Options {
        freeze: Some(direction),
        ..Options::default()
    }
}

fn dry() -> Options {
    Options {
        dry_run: true,
        ..Options::default()
    }
}

fn decided(options: Options, usages: &[i64]) -> Decision {
    let decision = decide(NOW, &with(options), &seen(usages), &remembering_nothing());
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    decision
}

/// `status reason: message` of a condition.
fn said(decision: &Decision, kind: &str) -> Option<String> {
    let found = decision.outcome.conditions.iter().find(|c| c.kind == kind);
    found.map(|c| format!("{} {}: {}", c.status, c.reason, c.message))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn withheld(by: Holder, from: i32, to: i32, reason: &str) -> Option<Withheld> {
    let reason = reason.to_owned();
    let change = Rescale { from, to, reason };
    Some(Withheld { by, change })
}

#[test]
fn paused_it_says_what_it_would_do_and_does_nothing() {
    let decision = decided(paused(), &[100, 100, 100]);
    assert_eq!((decision.desired_replicas, &decision.rescale), (3, &None));
    assert_eq!(decision.withheld, withheld(Holder::Paused, 3, 6, ABOVE));
    let message = format!("evenkeel.dev/paused is true: not scaled from 3 to 6 ({ABOVE})");
    let expected = format!("True ChangeWithheld: {message}");
    assert_eq!(said(&decision, "Paused"), Some(expected));
    let active = said(&decision, "ScalingActive").unwrap();
    assert!(active.starts_with("True ValidMetricFound"), "{active}");
    assert_eq!(decision.outcome.events, []);
    assert!(!decision.outcome.scaled_now);
}

#[test]
fn paused_with_nothing_to_do_it_says_that_it_is_paused() {
    let decision = decided(paused(), &[50, 50, 50]);
    assert_eq!(
        said(&decision, "Paused"),
        some("True NoChange: evenkeel.dev/paused is true: nothing is scaled")
    );
    assert_eq!(decision.withheld, None);
}

#[test]
fn paused_it_does_not_move_into_the_bounds_either() {
    let mut spec = with(paused());
    spec.min_replicas = Some(5);
    let decision = decide(NOW, &spec, &seen(&[50, 50, 50]), &remembering_nothing());
    assert_eq!((decision.desired_replicas, decision.rescale), (3, None));
    let below = "Current number of replicas below Spec.MinReplicas";
    assert_eq!(decision.withheld, withheld(Holder::Paused, 3, 5, below));
}

#[test]
fn a_frozen_direction_is_closed_and_the_other_open() {
    let (busy, idle) = ([100, 100, 100], [10, 10, 10]);
    let desired = |direction, usages: &[i64]| decided(frozen(direction), usages).desired_replicas;
    assert_eq!(desired(Direction::Up, &busy), 3);
    assert_eq!(desired(Direction::Up, &idle), 2);
    assert_eq!(desired(Direction::Down, &busy), 6);
    assert_eq!(desired(Direction::Down, &idle), 3);
}

#[test]
fn the_condition_of_a_freeze_says_what_it_held() {
    let held = decided(frozen(Direction::Down), &[10, 10, 10]);
    assert_eq!(
        said(&held, "Frozen"),
        some(
            "True ChangeWithheld: evenkeel.dev/freeze is down: not scaled from 3 to 2 (All metrics below target)"
        )
    );
    let free = decided(frozen(Direction::Down), &[100, 100, 100]);
    assert_eq!(
        said(&free, "Frozen"),
        some("True NoChange: evenkeel.dev/freeze is down: nothing is scaled down")
    );
    assert_eq!(free.rescale.map(|r| r.to), Some(6));
}

#[test]
fn a_dry_run_says_what_it_would_do_in_the_status_alone() {
    let decision = decided(dry(), &[100, 100, 100]);
    assert_eq!((decision.desired_replicas, &decision.rescale), (6, &None));
    assert_eq!(decision.current_replicas, 3);
    assert_eq!(decision.withheld, withheld(Holder::DryRun, 3, 6, ABOVE));
    let message = format!("evenkeel.dev/dry-run is true: would scale from 3 to 6 ({ABOVE})");
    let expected = format!("True ChangeWithheld: {message}");
    assert_eq!(said(&decision, "DryRun"), Some(expected));
    assert!(!decision.outcome.scaled_now);
    assert_eq!(decision.outcome.events, []);
}

#[test]
fn a_dry_run_without_a_number_says_so() {
    let mut seen = seen(&[100, 100]);
    seen.resource_metrics = Err("no answer".to_owned());
    let decision = decide(NOW, &with(dry()), &seen, &remembering_nothing());
    assert_eq!(
        said(&decision, "DryRun"),
        some("True NoChange: evenkeel.dev/dry-run is true: nothing could be decided")
    );
    let calm = decided(dry(), &[50, 50]);
    assert_eq!(
        said(&calm, "DryRun"),
        some("True NoChange: evenkeel.dev/dry-run is true: would stay at 2")
    );
}

/// One pod a minute, either way.
fn one_a_minute() -> Behavior {
    let rules = || Rules {
        stabilization_window_seconds: Some(0),
        select: SelectPolicy::Max,
        policies: vec![Policy {
            kind: PolicyKind::Pods,
            value: 1,
            period_seconds: 60,
        }],
        tolerance: None,
    };
    Behavior {
        up: rules(),
        down: rules(),
    }
}

#[test]
fn a_dry_run_uses_up_no_budget_of_a_policy_but_remembers_what_was_recommended() {
    let mut spec = with(dry());
    spec.behavior = Some(one_a_minute());
    let busy = seen(&[100, 100, 100]);
    let first = decide(NOW, &spec, &busy, &remembering_nothing());
    let history = &first.outcome.history;
    assert_eq!((history.ups.len(), history.downs.len()), (0, 0));
    let asked = Recommendation {
        at: NOW,
        replicas: 6,
    };
    assert_eq!(history.recommendations.as_deref(), Some(&[asked][..]));
    // Nothing was added, so one may still be.
    let second = decide(ago(-15), &spec, &busy, history);
    assert_eq!((first.desired_replicas, second.desired_replicas), (4, 4));
}

#[test]
fn after_a_pause_the_window_still_holds_what_was_recommended_during_it() {
    let busy = decided(paused(), &[90, 90, 90]);
    let history = busy.outcome.history;
    let decision = decide(ago(-60), &spec(50), &seen(&[10; 6]), &history);
    assert_eq!(decision.rescale, None, "6 were recommended a minute ago");
}

#[test]
fn a_pause_outranks_a_dry_run_and_a_freeze_outranks_both() {
    let all = Options {
        paused: true,
        dry_run: true,
        freeze: Some(Direction::Up),
        ..Options::default()
    };
    let decision = decided(all.clone(), &[100, 100, 100]);
    assert_eq!(decision.desired_replicas, 3);
    assert_eq!(decision.withheld.unwrap().by, Holder::Frozen);
    let decision = decided(
        Options {
            freeze: None,
            ..all
        },
        &[100, 100, 100],
    );
    assert_eq!(decision.desired_replicas, 3);
    assert_eq!(decision.withheld.unwrap().by, Holder::Paused);
}

#[test]
fn conditions_of_our_own_go_when_their_option_does() {
    let on = Options {
        problems: vec!["evenkeel.dev/freeze: no".to_owned()],
        ..frozen(Direction::Up)
    };
    let mut seen = seen(&[50, 50]);
    let first = decide(NOW, &with(on), &seen, &remembering_nothing());
    let kinds = |d: &Decision| -> Vec<String> {
        let kinds = d.outcome.conditions.iter().map(|c| c.kind.to_string());
        kinds.collect()
    };
    assert_eq!(
        kinds(&first),
        [
            "AbleToScale",
            "ScalingActive",
            "ScalingLimited",
            "InvalidOptions",
            "Frozen"
        ]
    );
    seen.status.conditions = first.outcome.conditions;
    let second = decide(NOW, &spec(50), &seen, &remembering_nothing());
    assert_eq!(
        kinds(&second),
        ["AbleToScale", "ScalingActive", "ScalingLimited"]
    );
}

#[test]
fn what_is_not_understood_is_told_in_an_event_once() {
    let problem = "evenkeel.dev/freeze: \"left\" is not known";
    let options = Options {
        problems: vec![problem.to_owned()],
        ..Options::default()
    };
    let mut seen = seen(&[50, 50]);
    let told = |seen: &Observation, options: &Options| {
        decide(NOW, &with(options.clone()), seen, &remembering_nothing())
    };
    let first = told(&seen, &options);
    let events: Vec<_> = first
        .outcome
        .events
        .iter()
        .map(|e| (e.reason, e.message.as_str()))
        .collect();
    assert_eq!(events, [("InvalidOption", problem)]);
    seen.status.conditions = first.outcome.conditions;
    assert_eq!(told(&seen, &options).outcome.events, []);
    let other = Options {
        problems: vec!["another".to_owned()],
        ..Options::default()
    };
    assert_eq!(told(&seen, &other).outcome.events.len(), 1);
}

#[test]
fn without_a_scale_the_options_are_still_said() {
    let mut seen = seen(&[50]);
    seen.scale = Err(ScaleProblem {
        error: "not found".to_owned(),
        context: ScaleStep::Get,
    });
    let decision = decide(NOW, &with(paused()), &seen, &History::default());
    assert!(said(&decision, "Paused").is_some());
    assert!(matches!(decision.steps.first(), Some(Step::Options(_))));
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
}
