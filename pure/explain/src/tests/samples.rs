//! Situations to explain.

use crate::{Subject, headline, text};
use hpa::{
    Behavior, Condition, Config, ContainerRequests, ContainerUsage, Decision, History, Identifier,
    Metric, Observation, Options, Phase, Pod, PodMetrics, Policy, PolicyKind, Reading, Ready,
    Recommendation, Resource, Rules, Scale, ScaleEvent, SelectPolicy, Selection, Source, Spec,
    Status, Target, TargetKind,
};
use std::sync::Arc;
use units::{Duration, Timestamp};

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);

pub(super) fn ago(seconds: i64) -> Timestamp {
    NOW.minus(Duration::from_seconds(seconds))
}

/// Everything that is explained, and what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) spec: Spec,
    pub(super) seen: Observation,
    pub(super) history: History,
}

impl Case {
    /// As many pods as usages; each requests 100m and 512Mi, and uses so many millicores. The target is 50 %.
    pub(super) fn new(usages: &[i64]) -> Self {
        let replicas = i32::try_from(usages.len()).unwrap();
        let metrics = usages
            .iter()
            .enumerate()
            .map(|(index, cpu)| usage(index, *cpu));
        Self {
            spec: Spec {
                namespace: "shop".to_owned(),
                target_kind: "Deployment".to_owned(),
                target_name: "web".to_owned(),
                min_replicas: Some(2),
                max_replicas: 20,
                metrics: vec![cpu(50)],
                behavior: None,
                config: Config::default(),
                options: Options::default(),
            },
            seen: Observation {
                status: Status::default(),
                scale: Ok(Scale {
                    spec_replicas: replicas,
                    status_replicas: replicas,
                    selection: Selection::Valid,
                }),
                pods: (0..usages.len()).map(pod).map(Arc::new).collect(),
                left_out: Vec::new(),
                pods_problem: None,
                resource_metrics: Ok(metrics.map(Arc::new).collect()),
                readings: vec![Reading::Resource],
            },
            history: History {
                recommendations: Some(Vec::new()),
                ..History::default()
            },
        }
    }

    pub(super) fn metric(mut self, metric: Metric, reading: Reading) -> Self {
        self.spec.metrics.push(metric);
        self.seen.readings.push(reading);
        self
    }

    pub(super) fn only(mut self, metric: Metric, reading: Reading) -> Self {
        self.spec.metrics = vec![metric];
        self.seen.readings = vec![reading];
        self
    }

    pub(super) fn behavior(mut self, up: Rules, down: Rules) -> Self {
        self.spec.behavior = Some(Behavior { up, down });
        self
    }

    pub(super) fn bounds(mut self, min: i32, max: i32) -> Self {
        (self.spec.min_replicas, self.spec.max_replicas) = (Some(min), max);
        self
    }

    pub(super) fn scaled(mut self, replicas: i32) -> Self {
        if let Ok(scale) = &mut self.seen.scale {
            (scale.spec_replicas, scale.status_replicas) = (replicas, replicas);
        }
        self
    }

    /// What was recommended so many seconds ago.
    pub(super) fn recommended(mut self, list: &[(i64, i32)]) -> Self {
        let past = list.iter().map(|(age, replicas)| Recommendation {
            at: ago(*age),
            replicas: *replicas,
        });
        self.history.recommendations = Some(past.collect());
        self
    }

    /// What was added so many seconds ago.
    pub(super) fn added(mut self, list: &[(i64, i32)]) -> Self {
        let events = list.iter().map(|(age, change)| ScaleEvent {
            at: ago(*age),
            change: *change,
        });
        self.history.ups = events.collect();
        self
    }

    /// The autoscaler may scale to zero; and it did, if so.
    pub(super) fn scaling_to_zero(mut self, did: bool) -> Self {
        self.spec.config.gates.scale_to_zero = true;
        if did {
            self.seen.status.conditions = vec![Condition {
                kind: "ScaledToZero".into(),
                status: "True".into(),
                reason: "ScaledToZero".into(),
                message: "".into(),
                last_transition: Some(ago(600)),
            }];
        }
        self
    }

    pub(super) fn without_figures(mut self, from: usize) -> Self {
        self.seen
            .resource_metrics
            .iter_mut()
            .for_each(|m| m.truncate(from));
        self
    }

    /// One of the pods, to change.
    pub(super) fn pod(&mut self, index: usize) -> &mut Pod {
        Arc::make_mut(&mut self.seen.pods[index])
    }

    /// What the first container of one of the pods requests, to change.
    pub(super) fn requests(&mut self, index: usize) -> &mut Vec<(Resource, i64)> {
        let containers = Arc::make_mut(&mut self.pod(index).containers);
        &mut containers[0].requests
    }

    /// A pod that has just started.
    pub(super) fn starting(mut self, index: usize, started: i64, ready: Option<i64>) -> Self {
        let pod = self.pod(index);
        pod.start_time = Some(ago(started));
        pod.ready = Some(Ready {
            status: Some(ready.is_some()),
            last_transition: ago(ready.unwrap_or(started)),
        });
        self
    }

    pub(super) fn decision(&self) -> Decision {
        hpa::decide(NOW, &self.spec, &self.seen, &self.history)
    }

    pub(super) fn with<T>(&self, say: impl Fn(&Subject<'_>) -> T) -> T {
        let decision = self.decision();
        say(&Subject {
            name: "shop/web",
            spec: &self.spec,
            seen: &self.seen,
            decision: &decision,
            now: NOW,
        })
    }

    pub(super) fn headline(&self) -> String {
        self.with(headline)
    }

    pub(super) fn text(&self) -> String {
        self.with(text)
    }
}

const MEBI_MILLI: i64 = 1024 * 1024 * 1000;

fn pod(index: usize) -> Pod {
    Pod {
        name: format!("web-{index}"),
        phase: Phase::Running,
        deleting: false,
        start_time: Some(ago(3600)),
        ready: Some(Ready {
            status: Some(true),
            last_transition: ago(3590),
        }),
        pod_level_requests: None,
        containers: [ContainerRequests {
            name: "app".to_owned(),
            requests: vec![(Resource::Cpu, 100), (Resource::Memory, 512 * MEBI_MILLI)],
        }]
        .into(),
    }
}

fn usage(index: usize, cpu: i64) -> PodMetrics {
    PodMetrics {
        pod: format!("web-{index}"),
        timestamp: ago(10),
        window: Duration::from_seconds(15),
        containers: vec![ContainerUsage {
            name: "app".to_owned(),
            usage: vec![
                (Resource::Cpu, cpu),
                (Resource::Memory, 700 * MEBI_MILLI + 1234),
            ],
        }],
    }
}

const NO_TARGET: Target = Target {
    kind: TargetKind::AverageValue,
    value: None,
    average_value: None,
    average_utilization: None,
};

pub(super) fn cpu(percent: i32) -> Metric {
    Metric {
        source: Source::Resource {
            name: Resource::Cpu,
        },
        target: Target {
            kind: TargetKind::Utilization,
            average_utilization: Some(percent),
            ..NO_TARGET
        },
    }
}

pub(super) fn memory(mebi: i64) -> Metric {
    Metric {
        source: Source::Resource {
            name: Resource::Memory,
        },
        target: average(mebi * MEBI_MILLI),
    }
}

pub(super) const fn average(milli: i64) -> Target {
    Target {
        average_value: Some(milli),
        ..NO_TARGET
    }
}

pub(super) const fn value(milli: i64) -> Target {
    Target {
        kind: TargetKind::Value,
        value: Some(milli),
        ..NO_TARGET
    }
}

pub(super) fn named(name: &str) -> Identifier {
    Identifier {
        name: name.to_owned(),
        selector: "nil".to_owned(),
        selector_problem: None,
    }
}

pub(super) fn external(target: Target) -> Metric {
    Metric {
        source: Source::External {
            metric: named("queue_length"),
        },
        target,
    }
}

pub(super) fn object(target: Target) -> Metric {
    Metric {
        source: Source::Object {
            kind: "Ingress".to_owned(),
            name: "main".to_owned(),
            metric: named("hits"),
        },
        target,
    }
}

pub(super) fn pods_metric(target: Target) -> Metric {
    Metric {
        source: Source::Pods {
            metric: named("requests_per_second"),
        },
        target,
    }
}

/// A window in seconds, and policies of so many pods (or percent, when negative) in so many seconds.
pub(super) fn rules(window: i32, policies: &[(i32, i32)]) -> Rules {
    let policies = policies.iter().map(|(value, period_seconds)| Policy {
        kind: if *value < 0 {
            PolicyKind::Percent
        } else {
            PolicyKind::Pods
        },
        value: value.abs(),
        period_seconds: *period_seconds,
    });
    Rules {
        stabilization_window_seconds: Some(window),
        select: SelectPolicy::Max,
        policies: policies.collect(),
        tolerance: None,
    }
}
