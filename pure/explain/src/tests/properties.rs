//! Whatever the numbers are, something true is said in lines that fit.

use super::samples::{Case, average, external, memory, object, pods_metric, rules, value};
use crate::{headline, steps, text};
use hpa::{Metric, PodValue, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use units::Duration;

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..200_000_i64, 1 => any::<i64>()]
}

fn series(values: Vec<i64>) -> Reading {
    Reading::External(Ok(values.into_iter().map(Into::into).collect()))
}

fn any_metric() -> impl Strategy<Value = (Metric, Reading)> {
    (any_amount(), any_amount(), vec(any_amount(), 0..4), 0..5_u8).prop_map(
        |(target, single, several, kind)| match kind {
            0 => (memory(512), Reading::Resource),
            1 => (object(value(target)), Reading::Object(Ok(single.into()))),
            2 => (external(average(target)), series(several)),
            3 => (external(value(target)), series(several)),
            _ => {
                let values = several
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| PodValue {
                        pod: format!("web-{index}"),
                        timestamp: super::samples::NOW,
                        window: Duration::from_seconds(60),
                        value,
                    });
                (
                    pods_metric(average(target)),
                    Reading::Pods(Ok(values.collect())),
                )
            }
        },
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let pods = vec((any_amount(), 0..900_i64, 0..900_i64, any::<bool>()), 0..30);
    let numbers = (
        0..6_i32,
        1..40_i32,
        prop::option::of(any::<i32>()),
        0..30_usize,
    );
    let policies = vec((-150..150_i32, 1..600_i32), 1..3);
    let past = vec((0..700_i64, 0..30_i32), 0..10);
    let behavior = (any::<bool>(), 0..600_i32, policies);
    (pods, numbers, behavior, past, vec(any_metric(), 0..3)).prop_map(
        |(pods, (min, more, replicas, known), (behaves, window, policies), past, metrics)| {
            let usages: Vec<i64> = pods.iter().map(|pod| pod.0).collect();
            let mut case = Case::new(&usages)
                .bounds(min, min + more)
                .recommended(&past)
                .added(&past)
                .without_figures(known);
            for (index, (_, started, changed, ready)) in pods.iter().enumerate() {
                case = case.starting(index, *started, ready.then_some(*changed));
            }
            if let Some(replicas) = replicas {
                case = case.scaled(replicas);
            }
            if behaves {
                case = case.behavior(rules(window, &policies), rules(window / 2, &policies));
            }
            metrics
                .into_iter()
                .fold(case, |case, (metric, reading)| case.metric(metric, reading))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn lines_fit_and_the_headline_says_what_is_done(case in any_case()) {
        let said = case.with(text);
        for line in said.lines() {
            prop_assert!(line.chars().count() <= 120, "{}", line);
            prop_assert_eq!(line, line.trim_end());
        }
        let decision = case.decision();
        let done = match &decision.rescale {
            Some(change) => format!("{} → {}: ", change.from, change.to),
            None => format!("stays at {}: ", decision.current_replicas),
        };
        let headline = case.with(headline);
        prop_assert!(headline.contains(&done) && headline.ends_with('.'), "{}", headline);
        prop_assert!(!said.contains("please report"), "{}", said);
    }

    #[test]
    fn every_step_has_a_line_with_numbers(case in any_case()) {
        let lines = case.with(steps);
        prop_assert_eq!(lines.len(), case.decision().steps.len());
        for line in lines {
            prop_assert!(!line.detail.is_empty() && !line.numbers.is_empty(), "{:?}", line);
        }
    }
}
