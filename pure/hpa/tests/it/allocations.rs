//! A decision allocates as often for a thousand pods as for ten: nothing is allocated for a pod.

use hpa::{
    Config, ContainerRequests, ContainerUsage, History, Identifier, Metric, Observation, Options,
    Phase, Pod, PodMetrics, PodValue, Reading, Ready, Resource, Scale, Selection, Source, Spec,
    Status, Target, TargetKind,
};
use std::sync::Arc;
use units::{Duration, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);

fn ago(seconds: i64) -> Timestamp {
    NOW.minus(Duration::from_seconds(seconds))
}

fn name(index: usize) -> String {
    format!("web-{index:04}")
}

/// Every tenth is not ready yet.
fn pod(index: usize) -> Pod {
    let young = index.is_multiple_of(10);
    Pod {
        name: name(index),
        phase: Phase::Running,
        deleting: false,
        start_time: Some(ago(if young { 20 } else { 3_600 })),
        ready: Some(Ready {
            status: Some(!young),
            last_transition: ago(15),
        }),
        pod_level_requests: None,
        containers: ["app", "proxy"]
            .map(|name| ContainerRequests {
                name: name.to_owned(),
                requests: vec![(Resource::Cpu, 100)],
            })
            .into(),
    }
}

fn usage(index: usize) -> PodMetrics {
    PodMetrics {
        pod: name(index),
        timestamp: NOW,
        window: Duration::from_seconds(15),
        containers: ["app", "proxy"]
            .map(|name| ContainerUsage {
                name: name.to_owned(),
                usage: vec![(Resource::Cpu, 80)],
            })
            .to_vec(),
    }
}

fn value(index: usize) -> PodValue {
    PodValue {
        pod: name(index),
        timestamp: NOW,
        window: Duration::from_seconds(60),
        value: 2_000,
    }
}

/// Every tenth pod has no figure.
fn with_figure(pods: usize) -> impl Iterator<Item = usize> {
    (0..pods).filter(|index| index % 10 != 3)
}

fn seen(pods: usize) -> Observation {
    let replicas = i32::try_from(pods).expect("few pods");
    Observation {
        status: Status::default(),
        scale: Ok(Scale {
            spec_replicas: replicas,
            status_replicas: replicas,
            selection: Selection::Valid,
        }),
        pods: (0..pods).map(pod).map(Arc::new).collect(),
        left_out: Vec::new(),
        pods_problem: None,
        resource_metrics: Ok(with_figure(pods).map(usage).map(Arc::new).collect()),
        readings: vec![Reading::Pods(Ok(with_figure(pods).map(value).collect()))],
    }
}

fn spec(source: Source, target: Target) -> Spec {
    Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas: Some(1),
        max_replicas: 10_000,
        metrics: vec![Metric { source, target }],
        behavior: None,
        config: Config::default(),
        options: Options::default(),
    }
}

const UTILIZATION: Target = Target {
    kind: TargetKind::Utilization,
    value: None,
    average_value: None,
    average_utilization: Some(50),
};

const AVERAGE: Target = Target {
    kind: TargetKind::AverageValue,
    value: None,
    average_value: Some(50),
    average_utilization: None,
};

fn allocations(spec: &Spec, seen: &Observation) -> u64 {
    let history = History::default();
    allocation_counter::measure(|| {
        let decision = hpa::decide(NOW, spec, seen, &history);
        assert!(decision.rescale.is_some(), "the whole way was gone");
    })
    .count_total
}

fn never_for_a_pod(source: Source, target: Target) {
    let spec = spec(source, target);
    let few = allocations(&spec, &seen(10));
    let many = allocations(&spec, &seen(1_000));
    assert_eq!(few, many, "allocations for 10 pods, and for 1,000");
    assert!(many < 40, "{many} allocations for one decision");
}

const CPU: Resource = Resource::Cpu;

#[test]
fn a_utilization_takes_no_allocation_for_a_pod() {
    never_for_a_pod(Source::Resource { name: CPU }, UTILIZATION);
}

#[test]
fn an_average_usage_takes_no_allocation_for_a_pod() {
    never_for_a_pod(Source::Resource { name: CPU }, AVERAGE);
}

#[test]
fn one_containers_utilization_takes_no_allocation_for_a_pod() {
    let container = "app".to_owned();
    never_for_a_pod(
        Source::ContainerResource {
            name: CPU,
            container,
        },
        UTILIZATION,
    );
}

#[test]
fn a_custom_metric_takes_no_allocation_for_a_pod() {
    let metric = Identifier {
        name: "requests".to_owned(),
        selector: "nil".to_owned(),
        selector_problem: None,
    };
    never_for_a_pod(Source::Pods { metric }, AVERAGE);
}

#[test]
fn figures_in_another_order_than_the_pods_take_one_allocation_to_sort() {
    let spec = spec(Source::Resource { name: CPU }, UTILIZATION);
    let in_order = seen(1_000);
    let mut turned = in_order.clone();
    turned.resource_metrics.iter_mut().for_each(|m| m.reverse());
    assert!(allocations(&spec, &turned) <= allocations(&spec, &in_order) + 1);
}
