//! What failed metrics count as, and what is remembered for that.

use crate::decide;
use crate::decision::Decision;
use crate::history::{History, Known};
use crate::observation::{Observation, Reading, Sample};
use crate::options::{Fallback, Options};
use crate::remember::{essence, resume, same};
use crate::samples::{NOW, ago, cpu, remembering_nothing, seen, spec};
use crate::spec::{Identifier, Metric, Source, Spec, Target, TargetKind};
use crate::step::{FallbackFrom, Step, audit};
use std::sync::Arc;
use units::{Duration, Timestamp};

const LIMIT: Duration = Duration::from_seconds(600);

fn with(fallback: Fallback) -> Spec {
    Spec {
        options: Options {
            fallback: Some(fallback),
            ..Options::default()
        },
        ..spec(50)
    }
}

fn last_known() -> Spec {
    with(Fallback::LastKnownGood { max_age: LIMIT })
}

fn queue() -> Metric {
    Metric {
        source: Source::External {
            metric: Identifier {
                name: "queue".to_owned(),
                selector: "nil".to_owned(),
                selector_problem: None,
            },
        },
        target: Target {
            kind: TargetKind::AverageValue,
            value: None,
            average_value: Some(1_000),
            average_utilization: None,
        },
    }
}

/// So many pods whose usage is not known.
fn blind(pods: usize) -> Observation {
    let mut seen = seen(&vec![50; pods]);
    seen.resource_metrics = Err("no answer".to_owned());
    seen
}

fn knowing(replicas: i32, age: i64) -> History {
    History {
        known: vec![Known {
            metric: cpu(50).identity(),
            at: ago(age),
            replicas,
        }],
        ..remembering_nothing()
    }
}

fn decided(spec: &Spec, seen: &Observation, history: &History) -> Decision {
    let decision = decide(NOW, spec, seen, history);
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    decision
}

fn said(decision: &Decision, kind: &str) -> String {
    let found = decision.outcome.conditions.iter().find(|c| c.kind == kind);
    found.map_or_else(String::new, |c| {
        format!("{} {}: {}", c.status, c.reason, c.message)
    })
}

#[test]
fn what_a_metric_last_asked_for_counts_while_it_is_young_enough() {
    // What is known, how long ago, and what becomes of three pods.
    let rows = [
        (Some((5, 599)), 5),
        (Some((5, 600)), 3),
        (Some((2, 10)), 2),
        (None, 3),
    ];
    for (known, expected) in rows {
        let history = known.map_or_else(remembering_nothing, |(n, age)| knowing(n, age));
        let decision = decided(&last_known(), &blind(3), &history);
        let replicas = decision.rescale.as_ref().map_or(3, |change| change.to);
        assert_eq!(replicas, expected, "{known:?}");
    }
}

#[test]
fn a_fallback_is_told_in_conditions_reason_and_steps() {
    let decision = decided(&last_known(), &blind(3), &knowing(5, 180));
    assert_eq!(
        decision.rescale.as_ref().unwrap().reason,
        "cpu resource failed and its fallback asks for more"
    );
    assert_eq!(
        said(&decision, "Fallback"),
        "True LastKnownGood: cpu resource failed and counts as 5, which it last asked for"
    );
    assert_eq!(
        said(&decision, "ScalingActive"),
        "True FallbackUsed: the HPA calculates with the fallback of cpu resource, as that metric failed"
    );
    let step = decision.steps.iter().find_map(|s| match s {
        Step::Fallback(step) => Some(step),
        _ => None,
    });
    let age = Some(Duration::from_seconds(180));
    assert_eq!(
        step.unwrap().from,
        FallbackFrom::LastKnown {
            age,
            max_age: LIMIT
        }
    );
    // That it failed is told as ever.
    assert_eq!(decision.outcome.events[0].reason, "FailedGetResourceMetric");
    assert!(decision.failure.is_some());
}

#[test]
fn what_is_too_old_or_never_known_is_said_and_upstreams_rules_hold() {
    let decision = decided(&last_known(), &blind(3), &remembering_nothing());
    assert_eq!(
        said(&decision, "Fallback"),
        "False NothingKnown: cpu resource failed, and what it last asked for is not known or too old to count"
    );
    assert!(said(&decision, "ScalingActive").starts_with("False FailedGetResourceMetric"));
}

#[test]
fn a_fixed_number_counts_for_every_metric_that_fails() {
    let decision = decided(&with(Fallback::Replicas(4)), &blind(3), &History::default());
    assert_eq!(decision.desired_replicas, 4);
    assert_eq!(
        said(&decision, "Fallback"),
        "True FixedReplicas: cpu resource failed and counts as 4"
    );
    let calm = decided(
        &with(Fallback::Replicas(9)),
        &seen(&[50, 50]),
        &History::default(),
    );
    assert_eq!(calm.desired_replicas, 2);
    assert_eq!(
        said(&calm, "Fallback"),
        "False NotNeeded: no metric that was asked has failed"
    );
}

#[test]
fn a_fixed_number_goes_through_bounds_and_stabilization() {
    let far = decided(
        &with(Fallback::Replicas(100)),
        &blind(3),
        &remembering_nothing(),
    );
    assert_eq!(far.desired_replicas, 6, "at most twice at once");
    let low = decided(
        &with(Fallback::Replicas(0)),
        &blind(3),
        &remembering_nothing(),
    );
    assert_eq!(low.desired_replicas, 2, "minReplicas");
    let first = decided(&with(Fallback::Replicas(2)), &blind(3), &History::default());
    assert_eq!(first.desired_replicas, 3, "held by the window");
}

#[test]
fn of_several_metrics_the_highest_counts_whether_it_failed_or_not() {
    let mut spec = last_known();
    spec.metrics.push(queue());
    let mut seen = blind(4);
    let of_queue = |wanted: i64| Reading::External(Ok(vec![(wanted * 1_000).into()]));
    // The queue asks for 2; cpu failed. Upstream would not scale down.
    seen.readings.push(of_queue(2));
    let decision = decided(&spec, &seen, &knowing(3, 60));
    assert_eq!(decision.rescale.as_ref().unwrap().to, 3);
    assert_eq!(
        decision.rescale.unwrap().reason,
        "All metrics below target or replaced by a fallback that asks for fewer"
    );
    seen.readings[1] = of_queue(6);
    let decision = decided(&spec, &seen, &knowing(3, 60));
    assert_eq!(decision.rescale.as_ref().unwrap().to, 6);
    assert_eq!(
        decision.rescale.unwrap().reason,
        "external metric queue(nil) above target"
    );
}

#[test]
fn what_metrics_ask_for_is_remembered_only_where_it_may_be_needed() {
    let seen = seen(&[100, 100, 100]);
    let first = decided(&last_known(), &seen, &History::default());
    let known = Known {
        metric: cpu(50).identity(),
        at: NOW,
        replicas: 6,
    };
    assert_eq!(first.outcome.history.known, [known]);
    let off = decided(&spec(50), &seen, &first.outcome.history);
    assert_eq!(off.outcome.history.known, []);
}

#[test]
fn metrics_that_are_gone_are_forgotten() {
    let mut history = knowing(5, 10);
    history.known.push(Known {
        metric: 1,
        at: NOW,
        replicas: 9,
    });
    let decision = decided(&last_known(), &seen(&[50, 50]), &history);
    assert_eq!(decision.outcome.history.known.len(), 1);
}

/// What a controller that starts at `later` knows of cpu, if another wrote `history` before.
fn after_restart(history: &History, later: Timestamp) -> Vec<Known> {
    let spec = last_known();
    let stored = essence(NOW, &spec, 3, history).unwrap();
    resume(later, &spec, 3, 3, &stored).known
}

#[test]
fn what_was_known_survives_a_restart_and_grows_no_younger() {
    let history = knowing(5, 100);
    assert_eq!(after_restart(&history, NOW), history.known);
    assert_eq!(after_restart(&history, ago(-499)), history.known);
    assert_eq!(
        after_restart(&history, ago(-500)),
        [],
        "it is too old by then"
    );
}

#[test]
fn what_is_written_is_renewed_at_half_of_its_time_and_when_the_number_changes() {
    let spec = last_known();
    let of = |replicas, age| essence(NOW, &spec, 3, &knowing(replicas, age));
    let differ = |a: Option<History>, b: Option<History>| !same(&spec, a.as_ref(), b.as_ref());
    assert!(!differ(of(5, 300), of(5, 0)));
    assert!(differ(of(5, 301), of(5, 0)));
    assert!(differ(of(5, 10), of(6, 10)));
    assert!(differ(of(5, 10), None));
}

#[test]
fn figures_older_than_may_be_count_as_missing() {
    let with_age = |seconds| {
        let mut spec = spec(50);
        spec.options.metric_max_age = Some(Duration::from_seconds(seconds));
        spec
    };
    // The samples are ten seconds old.
    let fresh = decided(&with_age(10), &seen(&[100, 100]), &remembering_nothing());
    assert_eq!(fresh.desired_replicas, 4);
    let old = decided(&with_age(9), &seen(&[100, 100]), &remembering_nothing());
    assert_eq!(old.rescale, None);
    assert_eq!(
        old.outcome.events[0].message,
        "failed to get cpu utilization: did not receive metrics for targeted pods that are younger than 9s (evenkeel.dev/metric-max-age)"
    );
    let mut one = seen(&[100, 100]);
    Arc::make_mut(&mut one.resource_metrics.as_mut().unwrap()[1]).timestamp = ago(60);
    let decision = decided(&with_age(30), &one, &remembering_nothing());
    // 100 and an assumed 0 of 200 requested is 50 %.
    assert_eq!(decision.rescale, None);
}

#[test]
fn an_old_figure_of_an_external_metric_is_none() {
    let mut spec = spec(50);
    spec.options.metric_max_age = Some(Duration::from_seconds(60));
    spec.metrics = vec![queue()];
    let message = |timestamp: Option<Timestamp>| {
        let mut seen = seen(&[1, 1]);
        let value = 1_000;
        let young = Sample {
            value,
            timestamp: Some(NOW),
        };
        seen.readings = vec![Reading::External(Ok(vec![
            young,
            Sample { value, timestamp },
        ]))];
        let decision = decided(&spec, &seen, &remembering_nothing());
        let event = decision.outcome.events.first();
        event.map(|e| e.message.clone())
    };
    assert_eq!(message(Some(ago(60))), None);
    let failed = "unable to get external metric shop/queue/nil: the figure";
    let limit = "older than 1m0s (evenkeel.dev/metric-max-age)";
    assert_eq!(
        message(Some(ago(61))).unwrap(),
        format!("{failed} is {limit}")
    );
    assert_eq!(
        message(None).unwrap(),
        format!("{failed} does not say when it was measured, and must not be {limit}")
    );
}
