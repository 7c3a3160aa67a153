//! What must hold for any target and any options.

use crate::decision::Decision;
use crate::history::History;
use crate::options::{Direction, Options};
use crate::samples::any::{Case, any_case, shifted};
use crate::samples::options::{any_options, with_options};
use crate::samples::{NOW, seen, spec};
use crate::step::{Group, GroupRule, Step, audit};
use proptest::prelude::*;
use std::sync::Arc;
use units::Duration;

fn any_case_with_options() -> impl Strategy<Value = Case> {
    with_options(any_case(), any_options())
}

fn with(case: &Case, change: impl Fn(&mut Options)) -> Decision {
    let mut case = case.clone();
    change(&mut case.spec.options);
    case.decided()
}

fn to(decision: &Decision) -> Option<i32> {
    decision.rescale.as_ref().map(|change| change.to)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_number_follows_from_the_steps_alone(case in any_case_with_options()) {
        let decision = case.decided();
        prop_assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    }

    #[test]
    fn options_that_are_off_leave_no_trace(case in any_case_with_options()) {
        let off = with(&case, |options| *options = Options::default());
        let mut plain = case;
        plain.spec.options = Options::default();
        plain.history.known.clear();
        // Printed, so that what is no number equals itself.
        prop_assert_eq!(format!("{off:?}"), format!("{:?}", plain.decided()));
        prop_assert_eq!(&off.withheld, &None);
        let kinds = ["AbleToScale", "ScalingActive", "ScalingLimited", "ScaledToZero"];
        prop_assert!(off.outcome.conditions.iter().all(|c| kinds.contains(&&*c.kind)));
    }

    #[test]
    fn paused_it_never_scales(case in any_case_with_options()) {
        let decision = with(&case, |options| options.paused = true);
        prop_assert_eq!(&decision.rescale, &None);
        prop_assert!(!decision.outcome.scaled_now);
        prop_assert_eq!(&decision.outcome.history.ups, &case.history.ups);
    }

    #[test]
    fn frozen_it_never_moves_in_that_direction(case in any_case_with_options(), up in any::<bool>()) {
        let direction = if up { Direction::Up } else { Direction::Down };
        let decision = with(&case, |options| options.freeze = Some(direction));
        let moves = decision.rescale.as_ref().map(|c| if up { c.to > c.from } else { c.to < c.from });
        prop_assert_ne!(moves, Some(true));
        // The other direction is as if nothing were frozen.
        let free = with(&case, |options| options.freeze = None);
        let other = free.rescale.filter(|c| if up { c.to < c.from } else { c.to > c.from });
        prop_assert_eq!(decision.rescale, other);
    }

    #[test]
    fn a_dry_run_never_scales_and_says_what_would_be_done(case in any_case_with_options()) {
        let dry = with(&case, |options| options.dry_run = true);
        let wet = with(&case, |options| options.dry_run = false);
        prop_assert_eq!(&dry.rescale, &None);
        prop_assert!(!dry.outcome.scaled_now);
        prop_assert_eq!(dry.desired_replicas, wet.desired_replicas);
        let would = dry.withheld.filter(|w| w.by == crate::Holder::DryRun).map(|w| w.change);
        prop_assert_eq!(would, wet.rescale);
        // Nothing was changed, and nothing is remembered as changed.
        prop_assert_eq!(&dry.outcome.history.ups, &case.history.ups);
        prop_assert_eq!(&dry.outcome.history.downs, &case.history.downs);
        prop_assert_eq!(dry.outcome.history.recommendations, wet.outcome.history.recommendations);
    }

    #[test]
    fn what_is_fallen_back_on_stays_within_the_bounds(case in any_case_with_options()) {
        let mut case = case;
        case.seen.resource_metrics = Err("no answer".to_owned());
        if let Some(change) = case.decided().rescale {
            prop_assert!((case.spec.min()..=case.spec.max_replicas).contains(&change.to));
        }
    }

    #[test]
    fn shifting_all_times_changes_nothing(case in any_case_with_options(), seconds in -1_000_000..1_000_000_i64) {
        let by = Duration::from_seconds(seconds);
        let later = shifted(&case, by);
        let here = case.decided();
        let there = crate::decide(NOW.plus(by), &later.spec, &later.seen, &later.history);
        prop_assert_eq!(here.rescale, there.rescale);
        prop_assert_eq!(format!("{:?}", here.steps), format!("{:?}", there.steps));
    }
}

/// Which pods stand where in the only metric.
fn groups(decision: &Decision) -> Vec<(Group, GroupRule)> {
    let metric = decision.steps.iter().find_map(|s| match s {
        Step::Metric(metric) => Some(metric),
        _ => None,
    });
    let pods = &metric.unwrap().pods;
    pods.iter().map(|p| (p.group, p.rule)).collect()
}

/// Four pods at so many percent of their requests, of which the last `bare` have none.
fn some_bare(percent: i64, bare: usize, ignore: bool) -> Decision {
    let mut seen = seen(&[percent; 4]);
    for pod in seen.pods.iter_mut().rev().take(bare) {
        Arc::make_mut(&mut Arc::make_mut(pod).containers)[0]
            .requests
            .clear();
    }
    let mut spec = spec(50);
    if ignore {
        spec.options.pods_without_requests = crate::PodsWithoutRequests::Ignore;
    }
    let history = crate::samples::remembering_nothing();
    let decision = crate::decide(NOW, &spec, &seen, &history);
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    decision
}

#[test]
fn pods_without_requests_fail_the_metric_unless_the_others_speak_for_them() {
    let missing =
        "failed to get cpu utilization: missing request for cpu in container app of Pod web-0003";
    let failed = some_bare(100, 1, false);
    assert_eq!(failed.outcome.events[0].message, missing);
    let ignored = some_bare(100, 1, true);
    assert_eq!(
        groups(&ignored)[3],
        (Group::Unrequested, GroupRule::NoRequest)
    );
    // The ratio of three is that of all four: they go to eight, not to six.
    assert_eq!(to(&ignored), Some(8));
    assert_eq!(to(&some_bare(25, 2, true)), Some(2));
    assert_eq!(ignored.outcome.events[0].reason, "SuccessfulRescale");
}

#[test]
fn if_no_pod_has_a_request_the_metric_fails_as_ever() {
    let (ignored, failed) = (some_bare(100, 4, true), some_bare(100, 4, false));
    assert_eq!(ignored.outcome.events, failed.outcome.events);
    assert_eq!(ignored.outcome.events[0].reason, "FailedGetResourceMetric");
}

#[test]
fn pods_that_are_left_out_take_their_figures_with_them_and_are_named() {
    let mut spec = spec(50);
    spec.options.pod_selection = crate::PodSelection::Owner;
    spec.min_replicas = Some(1);
    let mut seen = seen(&[50, 50, 900]);
    if let Ok(scale) = &mut seen.scale {
        scale.spec_replicas = 2;
    }
    let stranger = crate::LeftOut {
        pod: "web-0002".to_owned(),
        why: crate::Unowned::NoController,
    };
    seen.leave_out(vec![stranger.clone()]);
    let decision = crate::decide(NOW, &spec, &seen, &History::default());
    assert_eq!(decision.rescale, None);
    let step = decision.steps.iter().find_map(|s| match s {
        Step::Ownership(step) => Some(step),
        _ => None,
    });
    let step = step.unwrap();
    assert_eq!((step.own, &step.left_out), (2, &vec![stranger]));
    let metric = decision.steps.iter().find_map(|s| match s {
        Step::Metric(metric) => Some(metric.strangers),
        _ => None,
    });
    assert_eq!(metric, Some(0));
}

#[test]
fn if_every_pod_is_left_out_the_error_says_so() {
    let mut spec = spec(50);
    spec.options.pod_selection = crate::PodSelection::Owner;
    let mut seen = seen(&[50, 50]);
    let all = seen.pods.iter().map(|pod| crate::LeftOut {
        pod: pod.name.clone(),
        why: crate::Unowned::Finished,
    });
    seen.leave_out(all.collect());
    let decision = crate::decide(NOW, &spec, &seen, &History::default());
    let message = &decision.outcome.events[0].message;
    assert!(
        message.ends_with("is the target's own, as evenkeel.dev/pod-selection asks)"),
        "{message}"
    );
}
