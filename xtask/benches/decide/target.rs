//! What is decided about: an autoscaler on cpu utilization, and its target in full.

use hpa::{
    Behavior, Config, ContainerRequests, ContainerUsage, History, Metric, Observation, Phase, Pod,
    PodMetrics, Policy, PolicyKind, Reading, Ready, Recommendation, Resource, Rules, Scale,
    ScaleEvent, SelectPolicy, Selection, Source, Spec, Status, TargetKind,
};
use std::sync::Arc;
use units::{Duration, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);

/// What one decision takes.
pub(crate) struct Target {
    pub(crate) spec: Spec,
    pub(crate) seen: Observation,
    pub(crate) history: History,
}

impl Target {
    /// Every pod runs, is ready and has its figure; a little more is used than wanted.
    pub(crate) fn steady(pods: usize) -> Self {
        let replicas = i32::try_from(pods).unwrap_or(i32::MAX);
        let seen = Observation {
            status: Status::default(),
            scale: Ok(Scale {
                spec_replicas: replicas,
                status_replicas: replicas,
                selection: Selection::Valid,
            }),
            pods: (0..pods).map(pod).map(Arc::new).collect(),
            left_out: Vec::new(),
            pods_problem: None,
            resource_metrics: Ok((0..pods).map(usage).map(Arc::new).collect()),
            readings: vec![Reading::Resource],
        };
        Self {
            spec: spec(replicas),
            history: five_minutes(replicas),
            seen: settled(seen),
        }
    }

    /// Every tenth pod has just started, every twentieth has no figure, and policies limit the change.
    pub(crate) fn mixed(pods: usize) -> Self {
        let mut target = Self::steady(pods);
        for pod in target.seen.pods.iter_mut().step_by(10) {
            let pod = Arc::make_mut(pod);
            pod.start_time = Some(ago(20));
            pod.ready = Some(Ready {
                status: Some(false),
                last_transition: ago(20),
            });
        }
        let mut index = 0;
        for metrics in target.seen.resource_metrics.iter_mut() {
            metrics.retain(|_| {
                index += 1;
                index % 20 != 2
            });
        }
        target.spec.behavior = Some(behavior());
        target.history.ups = vec![ScaleEvent {
            at: ago(45),
            change: 2,
        }];
        target
    }
}

/// What a first decision about `seen` leaves in the status.
fn settled(mut seen: Observation) -> Observation {
    let replicas = seen.scale.as_ref().map_or(0, |s| s.spec_replicas);
    let first = hpa::decide(ago(15), &spec(replicas), &seen, &History::default());
    seen.status = Status {
        current_replicas: first.outcome.current_replicas,
        desired_replicas: first.outcome.desired_replicas,
        conditions: first.outcome.conditions,
    };
    seen
}

fn spec(replicas: i32) -> Spec {
    Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas: Some(1),
        max_replicas: replicas.saturating_mul(2),
        metrics: vec![Metric {
            source: Source::Resource {
                name: Resource::Cpu,
            },
            target: hpa::Target {
                kind: TargetKind::Utilization,
                value: None,
                average_value: None,
                average_utilization: Some(50),
            },
        }],
        behavior: None,
        config: Config::default(),
        options: hpa::Options::default(),
    }
}

fn ago(seconds: i64) -> Timestamp {
    NOW.minus(Duration::from_seconds(seconds))
}

/// As a Deployment names its pods, so that names have much in common.
fn name(index: usize) -> String {
    format!("web-5d78c9b6f4-{index:05}")
}

fn pod(index: usize) -> Pod {
    Pod {
        name: name(index),
        phase: Phase::Running,
        deleting: false,
        start_time: Some(ago(3_600)),
        ready: Some(Ready {
            status: Some(true),
            last_transition: ago(3_590),
        }),
        pod_level_requests: None,
        containers: [ContainerRequests {
            name: "app".to_owned(),
            requests: amounts(500, 256),
        }]
        .into(),
    }
}

fn usage(index: usize) -> PodMetrics {
    let milli = 250 + 6 * i64::try_from(index % 15).unwrap_or(0);
    PodMetrics {
        pod: name(index),
        timestamp: ago(10),
        window: Duration::from_seconds(15),
        containers: vec![ContainerUsage {
            name: "app".to_owned(),
            usage: amounts(milli, 180),
        }],
    }
}

/// Millicores and mebibytes.
fn amounts(cpu: i64, memory: i64) -> Vec<(Resource, i64)> {
    vec![
        (Resource::Cpu, cpu),
        (Resource::Memory, memory * (1 << 20) * 1_000),
    ]
}

/// A recommendation every fifteen seconds, as many as the flag's window holds.
fn five_minutes(replicas: i32) -> History {
    let recommendations = (1..=20).rev().map(|ticks| Recommendation {
        at: ago(15 * ticks),
        replicas,
    });
    History {
        recommendations: Some(recommendations.collect()),
        ..History::default()
    }
}

/// Upstream's defaults for scaling up; scaling down at most a tenth a minute.
fn behavior() -> Behavior {
    let policy = |kind, value, period_seconds| Policy {
        kind,
        value,
        period_seconds,
    };
    Behavior {
        up: Rules {
            stabilization_window_seconds: Some(0),
            select: SelectPolicy::Max,
            policies: vec![
                policy(PolicyKind::Pods, 4, 15),
                policy(PolicyKind::Percent, 100, 15),
            ],
            tolerance: None,
        },
        down: Rules {
            stabilization_window_seconds: None,
            select: SelectPolicy::Min,
            policies: vec![policy(PolicyKind::Percent, 10, 60)],
            tolerance: Some(0.05),
        },
    }
}
