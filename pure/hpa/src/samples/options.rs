//! Options of any kind, for properties.

use super::NOW;
use super::any::Case;
use crate::history::Known;
use crate::options::{Direction, Fallback, Options, PodSelection, PodsWithoutRequests};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use units::Duration;

fn any_span() -> impl Strategy<Value = Duration> {
    (0..400_i64).prop_map(Duration::from_seconds)
}

fn any_fallback() -> impl Strategy<Value = Fallback> {
    prop_oneof![
        any_span().prop_map(|max_age| Fallback::LastKnownGood { max_age }),
        (0..30_i32).prop_map(Fallback::Replicas),
    ]
}

/// What changes a number, but holds no change back.
fn any_rules() -> impl Strategy<Value = Options> {
    let spans = (
        option::of(any_span()),
        option::of(any_span()),
        option::of(any_span()),
        option::of(any_span()),
    );
    let lacking = select(vec![PodsWithoutRequests::Fail, PodsWithoutRequests::Ignore]);
    let selection = select(vec![PodSelection::Label, PodSelection::Owner]);
    (
        spans,
        option::of(0.0..0.5_f64),
        option::of(any_fallback()),
        lacking,
        selection,
    )
        .prop_map(
            |(spans, tolerance, fallback, lacking, pod_selection)| Options {
                initial_readiness_delay: spans.0,
                cpu_initialization_period: spans.1,
                downscale_stabilization: spans.2,
                metric_max_age: spans.3,
                tolerance,
                fallback,
                pods_without_requests: lacking,
                pod_selection,
                ..Options::default()
            },
        )
}

pub(crate) fn any_options() -> impl Strategy<Value = Options> {
    let freeze = option::of(select(vec![Direction::Up, Direction::Down]));
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.3));
    let problems = vec("[a-z]{1,9}", 0..2);
    (any_rules(), freeze, flags, problems).prop_map(|(rules, freeze, flags, problems)| Options {
        paused: flags.0,
        dry_run: flags.1,
        freeze,
        problems,
        ..rules
    })
}

/// The same with options, and with something known of each metric, perhaps.
pub(crate) fn with_options(
    case: impl Strategy<Value = Case>,
    options: impl Strategy<Value = Options>,
) -> impl Strategy<Value = Case> {
    let known = vec(option::of((0..400_i64, 0..30_i32)), 4);
    (case, options, known).prop_map(|(mut case, options, known)| {
        case.spec.options = options;
        let metrics = case.spec.metrics.iter().zip(known);
        case.history.known = metrics
            .filter_map(|(metric, known)| {
                let (age, replicas) = known?;
                Some(Known {
                    metric: metric.identity(),
                    at: NOW.minus(Duration::from_seconds(age)),
                    replicas,
                })
            })
            .collect();
        case
    })
}
