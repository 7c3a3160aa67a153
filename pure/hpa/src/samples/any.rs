//! Targets of any kind, for properties.

use super::{NOW, ago, cpu};
use crate::decision::Condition;
use crate::history::{History, Recommendation, ScaleEvent};
use crate::observation::{
    ContainerRequests, ContainerUsage, Observation, Phase, Pod, PodMetrics, PodValue, Reading,
    Ready, Sample, Scale, Selection, Status,
};
use crate::spec::{
    Behavior, Config, Gates, Identifier, Metric, Policy, PolicyKind, Resource, Rules, SelectPolicy,
    Source, Spec, Target, TargetKind,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;
use units::Duration;

/// Everything that a decision is made from.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) spec: Spec,
    pub(crate) seen: Observation,
    pub(crate) history: History,
}

impl Case {
    pub(crate) fn decided(&self) -> crate::Decision {
        crate::decide(NOW, &self.spec, &self.seen, &self.history)
    }
}

fn any_phase() -> impl Strategy<Value = Phase> {
    use Phase::{Failed, Other, Pending, Running, Succeeded};
    // Mostly running.
    let phases = [
        Running, Running, Running, Running, Running, Pending, Failed, Succeeded, Other,
    ];
    select(phases.to_vec())
}

fn any_requests() -> impl Strategy<Value = Vec<(Resource, i64)>> {
    let amounts = (
        option::weighted(0.99, 0..400_i64),
        option::weighted(0.99, 0..4_000_i64),
    );
    amounts.prop_map(|(cpu, memory)| {
        let cpu = cpu.map(|milli| (Resource::Cpu, milli));
        cpu.into_iter()
            .chain(memory.map(|milli| (Resource::Memory, milli)))
            .collect()
    })
}

/// A pod, and its figures if it has any.
fn any_pod() -> impl Strategy<Value = (Pod, Option<PodMetrics>)> {
    let state = (
        any_phase(),
        prop::bool::weighted(0.05),
        option::weighted(0.95, 0..700_i64),
    );
    let ready = option::weighted(
        0.95,
        (
            select(vec![Some(true), Some(true), Some(false), None]),
            0..700_i64,
        ),
    );
    let requests = (
        option::weighted(0.1, any_requests()),
        vec(any_requests(), 1..3),
    );
    let figures = option::weighted(
        0.85,
        (
            0..120_i64,
            10..90_i64,
            vec((0..500_i64, 0..5_000_i64), 1..3),
        ),
    );
    (state, ready, requests, figures).prop_map(|(state, ready, requests, figures)| {
        let (phase, deleting, started) = state;
        let containers = requests.1.into_iter().enumerate();
        let pod = Pod {
            name: String::new(),
            phase,
            deleting,
            start_time: started.map(ago),
            ready: ready.map(|(status, changed)| Ready {
                status,
                last_transition: ago(changed),
            }),
            pod_level_requests: requests.0,
            containers: containers
                .map(|(index, requests)| ContainerRequests {
                    name: container(index),
                    requests,
                })
                .collect(),
        };
        (
            pod,
            figures.map(|(age, window, usages)| measured(age, window, usages)),
        )
    })
}

fn container(index: usize) -> String {
    ["app", "proxy"][index % 2].to_owned()
}

fn measured(age: i64, window: i64, usages: Vec<(i64, i64)>) -> PodMetrics {
    let of = |(index, (cpu, memory))| ContainerUsage {
        name: container(index),
        usage: vec![(Resource::Cpu, cpu), (Resource::Memory, memory)],
    };
    PodMetrics {
        pod: String::new(),
        timestamp: ago(age),
        window: Duration::from_seconds(window),
        containers: usages.into_iter().enumerate().map(of).collect(),
    }
}

/// A metric, and what its API answers.
fn any_metric() -> impl Strategy<Value = (Metric, Reading)> {
    let resource = prop_oneof![Just(Resource::Cpu), Just(Resource::Memory)];
    let percent = (
        resource,
        any::<bool>(),
        1..200_i32,
        any::<bool>(),
        1..3_000_i64,
    );
    prop_oneof![
        4 => percent.prop_map(|(name, one, percent, average, value)| {
            let source = if one {
                Source::ContainerResource { name, container: container(0) }
            } else {
                Source::Resource { name }
            };
            let target = if average { averaged(value) } else { cpu(percent).target };
            (Metric { source, target }, Reading::Resource)
        }),
        2 => (1..3_000_i64, any_answer(vec((0..14_usize, 0..9_000_i64), 0..14))).prop_map(|(value, answer)| {
            let values = answer.map(|list| list.into_iter().map(pod_value).collect());
            let source = Source::Pods { metric: identifier() };
            (Metric { source, target: averaged(value) }, Reading::Pods(values))
        }),
        1 => (any_target(), any_answer((any_age(), 0..40_000_i64))).prop_map(|(target, answer)| {
            let (kind, name) = ("Ingress".to_owned(), "main".to_owned());
            let source = Source::Object { kind, name, metric: identifier() };
            (Metric { source, target }, Reading::Object(answer.map(|(age, value)| sample(age, value))))
        }),
        1 => (any_target(), any_answer(vec((any_age(), 0..20_000_i64), 0..4))).prop_map(|(target, answer)| {
            let source = Source::External { metric: identifier() };
            let series = answer.map(|list| list.into_iter().map(|(age, value)| sample(age, value)).collect());
            (Metric { source, target }, Reading::External(series))
        }),
    ]
}

fn any_age() -> impl Strategy<Value = Option<i64>> {
    option::weighted(0.9, 0..200_i64)
}

fn sample(age: Option<i64>, value: i64) -> Sample {
    Sample {
        value,
        timestamp: age.map(ago),
    }
}

fn any_answer<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Result<T, String>> {
    option::weighted(0.9, value).prop_map(|value| value.ok_or_else(|| "no answer".to_owned()))
}

fn pod_value((index, value): (usize, i64)) -> PodValue {
    PodValue {
        pod: name(index),
        timestamp: NOW,
        window: Duration::from_seconds(60),
        value,
    }
}

fn name(index: usize) -> String {
    format!("web-{index:04}")
}

fn identifier() -> Identifier {
    Identifier {
        name: "hits".to_owned(),
        selector: "nil".to_owned(),
        selector_problem: None,
    }
}

fn averaged(value: i64) -> Target {
    Target {
        kind: TargetKind::AverageValue,
        value: None,
        average_value: Some(value),
        average_utilization: None,
    }
}

fn any_target() -> impl Strategy<Value = Target> {
    (1..9_000_i64, any::<bool>()).prop_map(|(value, average)| {
        if average {
            return averaged(value);
        }
        Target {
            kind: TargetKind::Value,
            value: Some(value),
            average_value: None,
            average_utilization: None,
        }
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let policy =
        (any::<bool>(), 1..150_i32, 1..600_i32).prop_map(|(pods, value, period_seconds)| Policy {
            kind: if pods {
                PolicyKind::Pods
            } else {
                PolicyKind::Percent
            },
            value: if pods { value % 12 + 1 } else { value },
            period_seconds,
        });
    let chosen = select(vec![
        SelectPolicy::Max,
        SelectPolicy::Max,
        SelectPolicy::Min,
        SelectPolicy::Disabled,
    ]);
    let window = option::weighted(0.8, 0..600_i32);
    (
        window,
        chosen,
        vec(policy, 1..4),
        option::weighted(0.3, 0.0..0.4_f64),
    )
        .prop_map(
            |(stabilization_window_seconds, select, policies, tolerance)| Rules {
                stabilization_window_seconds,
                select,
                policies,
                tolerance,
            },
        )
}

pub(crate) fn any_behavior() -> impl Strategy<Value = Option<Behavior>> {
    option::weighted(
        0.6,
        (any_rules(), any_rules()).prop_map(|(up, down)| Behavior { up, down }),
    )
}

pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let recommendation = (0..700_000_i64, 0..25_i32).prop_map(|(age, replicas)| Recommendation {
        at: NOW.minus(Duration::from_millis(age)),
        replicas,
    });
    let events = || {
        vec(
            (0..700_i64, 0..6_i32).prop_map(|(age, change)| ScaleEvent {
                at: ago(age),
                change,
            }),
            0..4,
        )
    };
    (
        option::weighted(0.8, vec(recommendation, 0..8)),
        events(),
        events(),
    )
        .prop_map(|(recommendations, ups, downs)| History {
            recommendations,
            ups,
            downs,
            known: Vec::new(),
        })
}

/// Pods as [`any_seen`](super::super::samples) has them are mostly calm; these are not.
pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    let pods = vec(any_pod(), 1..12);
    let metrics = vec(any_metric(), 1..4);
    let numbers = (
        option::weighted(0.6, 0..20_i32),
        option::weighted(0.5, 0..14_i32),
        0..6_i32,
        1..20_i32,
    );
    let gates = (any::<bool>(), any::<bool>());
    (pods, metrics, numbers, any_behavior(), any_history(), gates).prop_map(
        |(pods, metrics, numbers, behavior, history, gates)| {
            let (metrics, readings): (Vec<_>, Vec<_>) = metrics.into_iter().unzip();
            let (replicas, observed, min, more) = numbers;
            let here = i32::try_from(pods.len()).unwrap();
            let replicas = replicas.unwrap_or(here);
            let seen = observation(
                pods,
                readings,
                (replicas, observed.unwrap_or(replicas)),
                gates.1,
            );
            let spec = Spec {
                metrics,
                behavior,
                min_replicas: Some(min),
                max_replicas: min + more,
                config: Config {
                    gates: Gates {
                        scale_to_zero: gates.0,
                        ..Gates::default()
                    },
                    ..Config::default()
                },
                ..super::spec(50)
            };
            Case {
                spec,
                seen,
                history,
            }
        },
    )
}

fn observation(
    pods: Vec<(Pod, Option<PodMetrics>)>,
    readings: Vec<Reading>,
    (spec_replicas, status_replicas): (i32, i32),
    scaled_to_zero: bool,
) -> Observation {
    let named = pods.into_iter().enumerate().map(|(index, (pod, figures))| {
        let pod = Pod {
            name: name(index),
            ..pod
        };
        (
            pod,
            figures.map(|figures| PodMetrics {
                pod: name(index),
                ..figures
            }),
        )
    });
    let (pods, figures): (Vec<_>, Vec<_>) = named.unzip();
    let condition = Condition {
        kind: "ScaledToZero".into(),
        status: "True".into(),
        reason: "ScaledToZero".into(),
        message: "".into(),
        last_transition: Some(ago(500)),
    };
    Observation {
        status: Status {
            current_replicas: 1,
            desired_replicas: 17,
            conditions: scaled_to_zero.then_some(condition).into_iter().collect(),
        },
        scale: Ok(Scale {
            spec_replicas,
            status_replicas,
            selection: Selection::Valid,
        }),
        pods: pods.into_iter().map(Arc::new).collect(),
        left_out: Vec::new(),
        pods_problem: None,
        resource_metrics: Ok(figures.into_iter().flatten().map(Arc::new).collect()),
        readings,
    }
}

/// The same, at another time.
pub(crate) fn shifted(case: &Case, by: Duration) -> Case {
    let mut case = case.clone();
    for pod in case.seen.pods.iter_mut().map(Arc::make_mut) {
        pod.start_time = pod.start_time.map(|t| t.plus(by));
        pod.ready = pod.ready.map(|r| Ready {
            last_transition: r.last_transition.plus(by),
            ..r
        });
    }
    let metrics = case.seen.resource_metrics.iter_mut().flatten();
    for metrics in metrics.map(Arc::make_mut) {
        metrics.timestamp = metrics.timestamp.plus(by);
    }
    for reading in &mut case.seen.readings {
        match reading {
            Reading::Pods(Ok(values)) => values
                .iter_mut()
                .for_each(|v| v.timestamp = v.timestamp.plus(by)),
            Reading::Object(Ok(sample)) => sample.timestamp = sample.timestamp.map(|t| t.plus(by)),
            Reading::External(Ok(series)) => series
                .iter_mut()
                .for_each(|s| s.timestamp = s.timestamp.map(|t| t.plus(by))),
            _ => {}
        }
    }
    for known in &mut case.history.known {
        known.at = known.at.plus(by);
    }
    for past in case.history.recommendations.iter_mut().flatten() {
        past.at = past.at.plus(by);
    }
    let History { ups, downs, .. } = &mut case.history;
    for event in ups.iter_mut().chain(downs) {
        event.at = event.at.plus(by);
    }
    case
}
