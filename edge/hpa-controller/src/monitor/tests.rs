//! What `/metrics` shows after looks, and what it shows no more when an autoscaler is gone.

use super::*;
use crate::kinds::Kind;
use expect_test::expect;
use hpa::{History, Observation, Reading, Scale, Selection, Status};
use k8s::autoscaling::observe as wire;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::json;

const AT: Timestamp = Timestamp::from_seconds(1_767_268_800);

fn object(name: &str) -> HorizontalPodAutoscaler {
    serde_json::from_value(serde_json::json!({
        "metadata": {"name": name, "namespace": "eks-work"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2, "maxReplicas": 3}}))
    .unwrap()
}

/// A queue of 40 where 10 a replica are wanted, at two replicas and at most three.
fn decision() -> Decision {
    let mut value = serde_json::to_value(object("web")).unwrap();
    value["spec"]["metrics"] = serde_json::json!([{"type": "External", "external":
        {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "10"}}}]);
    let object: HorizontalPodAutoscaler = serde_json::from_value(value).unwrap();
    let config = hpa::Config::default();
    let spec = wire::spec(&object, config, &crate::observe::selector_problem);
    let seen = Observation {
        status: Status::default(),
        scale: Ok(Scale {
            spec_replicas: 2,
            status_replicas: 2,
            selection: Selection::Valid,
        }),
        pods: Vec::new(),
        left_out: Vec::new(),
        pods_problem: None,
        resource_metrics: Ok(Vec::new()),
        readings: vec![Reading::External(Ok(vec![40_000.into()]))],
    };
    hpa::decide(AT, &spec, &seen, &History::default())
}

fn key(name: &str) -> Key {
    (Kind::Autoscaling, "eks-work".to_owned(), name.to_owned())
}

fn look(object: &HorizontalPodAutoscaler, decision: &Decision) -> (String, String) {
    let monitor = Arc::new(Monitor::default());
    let work = monitor.work();
    monitor.knows(&key("web"));
    monitor.knows(&key("new"));
    monitor.looked(&Look {
        object: &object.clone().into(),
        at: AT,
        decision,
        deciding: Duration::from_millis(20),
        took: Duration::from_millis(30),
        rescaled: true,
        refused: false,
    });
    let later = Timestamp::from_seconds(AT.seconds() + 7);
    let shown = monitor.text(later, Some(("evenkeel-hpa-controller", true)));
    monitor.forget(&key("web"));
    let after = monitor.text(later, None);
    drop(work);
    (shown, after)
}

fn without_buckets(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("_bucket"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_look_is_counted_and_its_decision_shown_until_the_autoscaler_is_gone() {
    let (shown, after) = look(&object("web"), &decision());
    expect![[r#"
        horizontal_pod_autoscaler_controller_reconciliations_total{action="scale_up",error="none"} 1
        horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_sum{action="scale_up",error="none"} 0.03
        horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_count{action="scale_up",error="none"} 1
        horizontal_pod_autoscaler_controller_metric_computation_total{action="scale_up",error="none",metric_type="External"} 1
        horizontal_pod_autoscaler_controller_metric_computation_duration_seconds_sum{action="scale_up",error="none",metric_type="External"} 0.02
        horizontal_pod_autoscaler_controller_metric_computation_duration_seconds_count{action="scale_up",error="none",metric_type="External"} 1
        leader_election_master_status{name="evenkeel-hpa-controller"} 1
        horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers 2
        horizontal_pod_autoscaler_controller_desired_replicas{namespace="eks-work",hpa_name="web"} 3
        evenkeel_hpa_current_replicas{namespace="eks-work",hpa_name="web"} 2
        evenkeel_hpa_proposed_replicas{namespace="eks-work",hpa_name="web"} 4
        evenkeel_hpa_decision_age_seconds{namespace="eks-work",hpa_name="web"} 7
        evenkeel_hpa_metric_ratio{namespace="eks-work",hpa_name="web",metric="external metric queue(nil)"} 2
        evenkeel_hpa_limited{namespace="eks-work",hpa_name="web",rule="TooManyReplicas"} 1
    "#]].assert_eq(&without_buckets(&shown));
    expect![[r#"
        horizontal_pod_autoscaler_controller_reconciliations_total{action="scale_up",error="none"} 1
        horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_sum{action="scale_up",error="none"} 0.03
        horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_count{action="scale_up",error="none"} 1
        horizontal_pod_autoscaler_controller_metric_computation_total{action="scale_up",error="none",metric_type="External"} 1
        horizontal_pod_autoscaler_controller_metric_computation_duration_seconds_sum{action="scale_up",error="none",metric_type="External"} 0.02
        horizontal_pod_autoscaler_controller_metric_computation_duration_seconds_count{action="scale_up",error="none",metric_type="External"} 1
        leader_election_master_status{name="evenkeel-hpa-controller"} 1
        horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers 1
    "#]].assert_eq(&without_buckets(&after));
}

#[test]
fn ours_are_told_apart_by_their_group_and_show_nothing_while_they_stand_by() {
    let monitor = Arc::new(Monitor::default());
    let _work = monitor.work();
    let ours = json!({"metadata": {"name": "web", "namespace": "eks-work"}});
    let ours = Autoscaler::own(&ours, false);
    monitor.knows(&ours.key());
    monitor.fleet.decided(&ours.key(), AT, &decision());
    let series = r#"desired_replicas{namespace="eks-work",hpa_name="web",group="evenkeel.dev"} 3"#;
    assert!(monitor.text(AT, None).contains(series));
    monitor.stands_by(&ours.key());
    assert!(!monitor.text(AT, None).contains("desired_replicas{"));
}

#[test]
fn buckets_are_upstreams() {
    let (shown, _) = look(&object("web"), &decision());
    let bounds = shown
        .lines()
        .filter(|line| line.contains("reconciliation_duration_seconds_bucket"));
    let bounds: Vec<&str> = bounds
        .filter_map(|line| line.split("le=\"").nth(1)?.split('"').next())
        .collect();
    expect!["0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 16.384 +Inf"].assert_eq(&bounds.join(" "));
}

#[test]
fn errors_are_upstreams_two() {
    let failure = |spec| Failure {
        text: String::new(),
        spec,
    };
    assert_eq!(error(None, false), "none");
    assert_eq!(error(None, true), "internal");
    assert_eq!(error(Some(&failure(true)), true), "spec");
    assert_eq!(error(Some(&failure(false)), false), "internal");
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_looks_at_nothing_is_dead_unless_there_is_nothing_to_look_at() {
    let monitor = Arc::new(Monitor::default());
    let hours = Duration::from_secs(7_200);
    assert_eq!(monitor.check(), Ok(()));
    let work = monitor.work();
    tokio::time::sleep(hours).await;
    assert_eq!(monitor.check(), Ok(()));
    monitor.knows(&key("web"));
    assert_eq!(monitor.check(), Ok(()));
    tokio::time::sleep(hours).await;
    let dead = "no horizontal pod autoscaler was looked at for 7200 s";
    assert_eq!(monitor.check(), Err(dead.to_owned()));
    drop(work);
    assert_eq!(monitor.check(), Ok(()), "another one works now");
}
