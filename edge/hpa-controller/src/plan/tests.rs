//! Decisions in, effects out; no server.

use super::{Effect, Plan, plan, refused};
use crate::member::Occasion;
use crate::memory::Keep;
use hpa::{Decision, History, Observation, Phase, Pod, PodMetrics, Ready, Scale, Selection};
use k8s::autoscaling::observe;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::json;
use units::{Duration, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);
const LONG_AGO: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn object() -> HorizontalPodAutoscaler {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2, "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}]},
    }))
    .unwrap()
}

fn pod(name: &str) -> Pod {
    Pod {
        name: name.to_owned(),
        phase: Phase::Running,
        deleting: false,
        start_time: Some(LONG_AGO),
        ready: Some(Ready {
            status: Some(true),
            last_transition: LONG_AGO,
        }),
        pod_level_requests: None,
        containers: [hpa::ContainerRequests {
            name: "app".to_owned(),
            requests: vec![(hpa::Resource::Cpu, 100)],
        }]
        .into(),
    }
}

fn metrics(name: &str, cpu: i64) -> PodMetrics {
    PodMetrics {
        pod: name.to_owned(),
        timestamp: NOW,
        window: Duration::from_seconds(15),
        containers: vec![hpa::ContainerUsage {
            name: "app".to_owned(),
            usage: vec![(hpa::Resource::Cpu, cpu)],
        }],
    }
}

fn spec(object: &HorizontalPodAutoscaler) -> hpa::Spec {
    observe::spec(object, hpa::Config::default(), &|_| None)
}

/// Two pods that use `cpu` millicores of their 100 each.
fn decision(object: &HorizontalPodAutoscaler, cpu: i64) -> Decision {
    decision_after(object, cpu, &History::default())
}

fn decision_after(object: &HorizontalPodAutoscaler, cpu: i64, history: &History) -> Decision {
    let seen = Observation {
        status: observe::status(object),
        scale: Ok(Scale {
            spec_replicas: 2,
            status_replicas: 2,
            selection: Selection::Valid,
        }),
        pods: vec![pod("web-1").into(), pod("web-2").into()],
        left_out: Vec::new(),
        pods_problem: None,
        resource_metrics: Ok(vec![
            metrics("web-1", cpu).into(),
            metrics("web-2", cpu).into(),
        ]),
        readings: vec![hpa::Reading::Resource],
    };
    hpa::decide(NOW, &spec(object), &seen, history)
}

/// The effects in a word each.
fn words(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Emit(event) => format!(
                "{} {}: {}",
                event.kind.as_str(),
                event.reason,
                event.message
            ),
            Effect::WriteStatus(status, _) => format!(
                "status {:?} -> {}, scaled {}",
                status.current_replicas,
                status.desired_replicas,
                status.last_scale_time.is_some()
            ),
        })
        .collect()
}

fn planned(object: &HorizontalPodAutoscaler, cpu: i64, now: Timestamp, occasion: Occasion) -> Plan {
    let decision = decision(object, cpu);
    plan((object, &spec(object)), &decision, now, occasion)
}

#[test]
fn new_figures_alone_are_written_once_in_a_period_and_not_in_between() {
    let mut object = object();
    let first = planned(&object, 50, NOW, Occasion::Period);
    let [Effect::WriteStatus(status, Keep::AsItIs)] = first.then.as_slice() else {
        panic!("{:?}", first.then)
    };
    object.status = Some((**status).clone());
    let later = NOW.plus(Duration::from_seconds(5));
    assert_eq!(planned(&object, 52, later, Occasion::Samples).then, vec![]);
    let written = planned(&object, 52, later, Occasion::Period).then;
    assert_eq!(words(&written), ["status Some(2) -> 2, scaled false"]);
    // A change of scale is written whatever the occasion.
    let scaled = planned(&object, 90, later, Occasion::Samples);
    assert_eq!(words(&scaled.then).len(), 2);
}

#[test]
fn a_change_is_made_then_told_then_written() {
    let plan = planned(&object(), 90, NOW, Occasion::Period);
    assert_eq!(plan.rescale.as_ref().map(|r| (r.from, r.to)), Some((2, 4)));
    assert_eq!(
        words(&plan.then),
        [
            "Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target",
            "status Some(2) -> 4, scaled true",
        ]
    );
}

#[test]
fn a_change_that_is_refused_is_told_and_the_old_wish_stays() {
    let decision = decision(&object(), 90);
    assert_eq!(
        words(&refused(
            &object(),
            &spec(&object()),
            &decision,
            NOW,
            "etcd is away"
        )),
        [
            "Warning FailedRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target; error: etcd is away",
            "status Some(2) -> 0, scaled false",
        ]
    );
}

#[test]
fn what_is_written_already_is_not_written_again() {
    let mut object = object();
    let first = planned(&object, 50, NOW, Occasion::Period);
    let [Effect::WriteStatus(status, Keep::AsItIs)] = first.then.as_slice() else {
        panic!("{:?}", first.then)
    };
    object.status = Some((**status).clone());
    let later = NOW.plus(Duration::from_seconds(15));
    let second = planned(&object, 50, later, Occasion::Period);
    assert_eq!((second.rescale, second.then), (None, vec![]));
}
