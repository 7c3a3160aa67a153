//! Targets to decide about, for tests: by example, and of any kind.

pub(crate) mod any;
pub(crate) mod options;

use crate::history::History;
use crate::observation::{
    ContainerRequests, ContainerUsage, Observation, Phase, Pod, PodMetrics, Reading, Ready, Scale,
    Selection, Status,
};
use crate::options::Options;
use crate::spec::{Config, Metric, Resource, Source, Spec, Target, TargetKind};
use std::sync::Arc;
use units::{Duration, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);

pub(crate) fn spec(percent: i32) -> Spec {
    Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas: Some(2),
        max_replicas: 20,
        metrics: vec![cpu(percent)],
        behavior: None,
        config: Config::default(),
        options: Options::default(),
    }
}

pub(crate) fn cpu(percent: i32) -> Metric {
    Metric {
        source: Source::Resource {
            name: Resource::Cpu,
        },
        target: Target {
            kind: TargetKind::Utilization,
            value: None,
            average_value: None,
            average_utilization: Some(percent),
        },
    }
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    NOW.minus(Duration::from_seconds(seconds))
}

pub(crate) fn pod(index: usize) -> Pod {
    Pod {
        name: format!("web-{index:04}"),
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
            requests: vec![(Resource::Cpu, 100)],
        }]
        .into(),
    }
}

pub(crate) fn usage(index: usize, cpu: i64) -> PodMetrics {
    PodMetrics {
        pod: format!("web-{index:04}"),
        timestamp: ago(10),
        window: Duration::from_seconds(15),
        containers: vec![ContainerUsage {
            name: "app".to_owned(),
            usage: vec![(Resource::Cpu, cpu)],
        }],
    }
}

/// Pods that each use so many millicores of their 100.
pub(crate) fn seen(usages: &[i64]) -> Observation {
    let replicas = i32::try_from(usages.len()).unwrap();
    Observation {
        status: Status::default(),
        scale: Ok(Scale {
            spec_replicas: replicas,
            status_replicas: replicas,
            selection: Selection::Valid,
        }),
        pods: (0..usages.len()).map(pod).map(Arc::new).collect(),
        left_out: Vec::new(),
        pods_problem: None,
        resource_metrics: Ok(usages
            .iter()
            .enumerate()
            .map(|(i, u)| Arc::new(usage(i, *u)))
            .collect()),
        readings: vec![Reading::Resource],
    }
}

pub(crate) fn remembering_nothing() -> History {
    History {
        recommendations: Some(Vec::new()),
        ..History::default()
    }
}
