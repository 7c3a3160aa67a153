//! Rules by example, and what must hold for any target.

use super::decide;
use crate::history::{History, Recommendation};
use crate::observation::{
    ContainerRequests, ContainerUsage, Observation, Phase, Pod, PodMetrics, Reading, Ready, Scale,
    Selection, Status,
};
use crate::spec::{
    Behavior, Config, Metric, Policy, PolicyKind, Resource, Rules, SelectPolicy, Source, Spec,
    Target, TargetKind,
};
use crate::step::{Group, GroupRule, Step};
use crate::{CurrentMetrics, Decision};
use proptest::prelude::*;
use units::{Duration, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);

fn spec(percent: i32) -> Spec {
    Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas: Some(2),
        max_replicas: 20,
        metrics: vec![cpu(percent)],
        behavior: None,
        config: Config::default(),
    }
}

fn cpu(percent: i32) -> Metric {
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

fn ago(seconds: i64) -> Timestamp {
    NOW.minus(Duration::from_seconds(seconds))
}

fn pod(index: usize) -> Pod {
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
        containers: vec![ContainerRequests {
            name: "app".to_owned(),
            requests: vec![(Resource::Cpu, 100)],
        }],
    }
}

fn usage(index: usize, cpu: i64) -> PodMetrics {
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
fn seen(usages: &[i64]) -> Observation {
    let replicas = i32::try_from(usages.len()).unwrap();
    Observation {
        status: Status::default(),
        scale: Ok(Scale {
            spec_replicas: replicas,
            status_replicas: replicas,
            selection: Selection::Valid,
        }),
        pods: (0..usages.len()).map(pod).collect(),
        pods_problem: None,
        resource_metrics: Ok(usages
            .iter()
            .enumerate()
            .map(|(i, u)| usage(i, *u))
            .collect()),
        readings: vec![Reading::Resource],
    }
}

fn remembering_nothing() -> History {
    History {
        recommendations: Some(Vec::new()),
        ..History::default()
    }
}

fn decided(spec: &Spec, seen: &Observation) -> Decision {
    decide(NOW, spec, seen, &remembering_nothing())
}

fn reason(decision: &Decision, kind: &str) -> String {
    let found = decision.outcome.conditions.iter().find(|c| c.kind == kind);
    found.map_or_else(String::new, |c| format!("{}={}", c.reason, c.status))
}

#[test]
fn twice_the_target_asks_for_twice_the_pods() {
    let decision = decided(&spec(50), &seen(&[100, 100, 100]));
    assert_eq!(decision.desired_replicas, 6);
    assert_eq!(
        decision.rescale.unwrap().reason,
        "cpu resource utilization (percentage of request) above target"
    );
    assert!(matches!(
        decision.outcome.current_metrics,
        CurrentMetrics::Read(_)
    ));
}

#[test]
fn the_first_decision_does_not_scale_down() {
    let decision = decide(NOW, &spec(50), &seen(&[1, 1, 1]), &History::default());
    assert_eq!(decision.desired_replicas, 3);
    assert_eq!(reason(&decision, "AbleToScale"), "ScaleDownStabilized=True");
}

#[test]
fn without_behavior_it_at_most_doubles() {
    let decision = decided(&spec(10), &seen(&[100, 100, 100]));
    assert_eq!(decision.desired_replicas, 6);
    assert_eq!(reason(&decision, "ScalingLimited"), "ScaleUpLimit=True");
}

#[test]
fn a_young_pod_without_a_whole_window_counts_as_idle_on_the_way_up() {
    let mut seen = seen(&[100, 100, 100]);
    seen.pods[2].start_time = Some(ago(20));
    seen.pods[2].ready = Some(Ready {
        status: Some(true),
        last_transition: ago(15),
    });
    let decision = decided(&spec(50), &seen);
    // (100 + 100 + 0) / 300 = 66 %, 66/50 × 3 = 3.96.
    assert_eq!(decision.desired_replicas, 4);
    let metric = decision.steps.iter().find_map(|s| match s {
        Step::Metric(metric) => Some(metric),
        _ => None,
    });
    let young = metric.unwrap().pods[2];
    assert_eq!(
        (young.group, young.rule, young.assumed),
        (Group::Unready, GroupRule::StartingTooFresh, Some(0))
    );
}

#[test]
fn a_policy_limits_how_fast_pods_are_added() {
    let rules = |value| Rules {
        stabilization_window_seconds: Some(0),
        select: SelectPolicy::Max,
        policies: vec![Policy {
            kind: PolicyKind::Pods,
            value,
            period_seconds: 60,
        }],
        tolerance: None,
    };
    let spec = Spec {
        behavior: Some(Behavior {
            up: rules(1),
            down: rules(4),
        }),
        ..spec(50)
    };
    let first = decided(&spec, &seen(&[100, 100, 100]));
    assert_eq!(first.desired_replicas, 4);
    assert_eq!(first.outcome.history.ups.len(), 1);
    // Within the same minute there is nothing left to add.
    let later = NOW.plus(Duration::from_seconds(15));
    let second = decide(
        later,
        &spec,
        &seen(&[100, 100, 100, 100]),
        &first.outcome.history,
    );
    assert_eq!((second.desired_replicas, second.rescale.clone()), (4, None));
    assert_eq!(reason(&second, "ScalingLimited"), "ScaleUpLimit=True");
}

#[test]
fn a_refused_change_is_not_remembered_as_made() {
    let decision = decided(&spec(50), &seen(&[100, 100, 100]));
    let refused = decision.refused(NOW, "no");
    assert_eq!(refused.history.ups, []);
    assert!(!refused.scaled_now);
    assert_eq!(refused.events.last().unwrap().reason, "FailedRescale");
}

fn shifted(seen: &Observation, by: Duration) -> Observation {
    let mut seen = seen.clone();
    for pod in &mut seen.pods {
        pod.start_time = pod.start_time.map(|t| t.plus(by));
        pod.ready = pod.ready.map(|r| Ready {
            last_transition: r.last_transition.plus(by),
            ..r
        });
    }
    for metrics in seen.resource_metrics.iter_mut().flatten() {
        metrics.timestamp = metrics.timestamp.plus(by);
    }
    seen
}

/// Targets whose pods are of all kinds.
fn any_seen() -> impl Strategy<Value = Observation> {
    let any_pod = (
        0..500_i64,
        0..5_u8,
        0..600_i64,
        0..600_i64,
        any::<bool>(),
        any::<bool>(),
    );
    prop::collection::vec(any_pod, 1..12).prop_map(|pods| {
        let usages: Vec<i64> = pods.iter().map(|p| p.0).collect();
        let mut seen = seen(&usages);
        let mut metrics = Vec::new();
        for (index, (cpu, phase, started, changed, ready, measured)) in pods.into_iter().enumerate()
        {
            let pod = &mut seen.pods[index];
            pod.phase = [
                Phase::Running,
                Phase::Running,
                Phase::Running,
                Phase::Pending,
                Phase::Failed,
            ][usize::from(phase)];
            pod.start_time = Some(ago(started));
            pod.ready = Some(Ready {
                status: Some(ready),
                last_transition: ago(changed),
            });
            if measured {
                metrics.push(usage(index, cpu));
            }
        }
        seen.resource_metrics = Ok(metrics);
        seen
    })
}

/// The answer without the steps, which name pods by their place.
fn told(decision: Decision) -> (i32, crate::Outcome) {
    (decision.desired_replicas, decision.outcome)
}

proptest! {
    #[test]
    fn it_stays_between_the_bounds(seen in any_seen(), percent in 1..200_i32) {
        let decision = decided(&spec(percent), &seen);
        if let Some(change) = decision.rescale {
            prop_assert!((2..=20).contains(&change.to));
        }
    }

    #[test]
    fn more_usage_never_asks_for_fewer(base in 1..400_i64, more in 0..400_i64, pods in 1..15_usize) {
        let less = decided(&spec(50), &seen(&vec![base; pods]));
        let more = decided(&spec(50), &seen(&vec![base + more; pods]));
        prop_assert!(more.desired_replicas >= less.desired_replicas);
    }

    #[test]
    fn inside_the_tolerance_nothing_moves(cpu in 46..=54_i64, pods in 2..15_usize) {
        prop_assert_eq!(decided(&spec(50), &seen(&vec![cpu; pods])).rescale, None);
    }

    #[test]
    fn missing_metrics_alone_never_scale_down(pods in 2..15_usize, known in 1..15_usize) {
        let known = known.min(pods);
        let mut seen = seen(&vec![50; pods]);
        if let Ok(metrics) = &mut seen.resource_metrics {
            metrics.truncate(known);
        }
        prop_assert!(decided(&spec(50), &seen).desired_replicas >= i32::try_from(pods).unwrap());
    }

    #[test]
    fn shifting_all_times_changes_nothing(seen in any_seen(), seconds in -1_000_000..1_000_000_i64) {
        let by = Duration::from_seconds(seconds);
        let past = Recommendation { at: ago(100), replicas: 7 };
        let history = |by| History {
            recommendations: Some(vec![Recommendation { at: past.at.plus(by), ..past }]),
            ..History::default()
        };
        let here = decide(NOW, &spec(50), &seen, &history(Duration::ZERO));
        let there = decide(NOW.plus(by), &spec(50), &shifted(&seen, by), &history(by));
        prop_assert_eq!(here.rescale, there.rescale);
        prop_assert_eq!(here.steps, there.steps);
    }

    #[test]
    fn the_order_of_pods_and_figures_changes_nothing(seen in any_seen()) {
        let mut turned = seen.clone();
        turned.pods.reverse();
        if let Ok(metrics) = &mut turned.resource_metrics {
            let half = metrics.len() / 2;
            metrics.rotate_left(half);
        }
        prop_assert_eq!(told(decided(&spec(50), &seen)), told(decided(&spec(50), &turned)));
    }

    #[test]
    fn the_order_of_metrics_changes_no_number(seen in any_seen(), one in 10..100_i32, other in 10..100_i32) {
        let mut seen = seen;
        seen.readings.push(Reading::Resource);
        let of = |a, b| Spec { metrics: vec![cpu(a), cpu(b)], ..spec(50) };
        let (here, there) = (decided(&of(one, other), &seen), decided(&of(other, one), &seen));
        prop_assert_eq!(here.desired_replicas, there.desired_replicas);
    }
}
