//! What breaks beside ours, one after the other: the API server is killed, its store falls silent, metrics-server is
//! gone. No number is written that is not right, and all goes on without help.

use super::failover::{self, FLAG, decided_since, leaders};
use super::process::{Process, free_port};
use super::stage::Stage;
use crate::lab::pause;
use std::time::Duration;

/// How long etcd does not answer.
const AWAY: Duration = Duration::from_secs(50);
/// Upstream: replica_calculator.go, GetResourceReplicas (v1.36), and client-go's words for 503.
const WITHOUT_METRICS: &str = "False FailedGetResourceMetric the HPA was unable to compute the replica count: \
    failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource \
    metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)";

#[test]
fn what_breaks_beside_ours_makes_no_wrong_scale_and_mends_without_help() {
    let Some(stage) = Stage::start() else {
        return;
    };
    let port = free_port();
    let mut metrics = stage.metrics_server(port);
    stage.metrics();
    let mut two = failover::what_a_killed_leader_held_stays_held(&stage);
    scaled(&stage, 0, &[(4, true), (2, false)]);
    let mut three = stage.controller("three", &[FLAG]);
    three.says("standing for leader election");

    the_api_server_is_killed(&stage);
    etcd_is_away(&stage, &[&two, &three]);
    for process in [&mut metrics, &mut two, &mut three] {
        assert!(process.runs(), "{}", process.log());
    }
    metrics_server_is_gone(&stage, metrics);
}

/// What was written since was only on the way to each number in turn, up or down.
#[track_caller]
fn scaled(stage: &Stage, since: usize, ways: &[(i64, bool)]) {
    let all = stage.audit.scales();
    let all: Vec<i64> = all.iter().map(|(_, replicas)| *replicas).collect();
    let mut left = &all[since..];
    let mut last = None;
    for (goal, up) in ways {
        let to = left.iter().position(|n| n == goal);
        assert!(to.is_some(), "{goal} was never written: {all:?}");
        let to = to.unwrap_or_default();
        for number in &left[..=to] {
            let right = match last {
                Some(last) if *up => number > last && number <= goal,
                Some(last) => number < last && number >= goal,
                None => number <= goal,
            };
            assert!(right, "{number} on the way to {goal}: {all:?}");
            last = Some(number);
        }
        left = &left[to + 1..];
    }
    assert!(left.is_empty(), "then {left:?}: {all:?}");
}

fn hold(stage: &Stage, window: &str) {
    let window = format!("evenkeel.dev/downscale-stabilization={window}");
    stage
        .kubectl
        .ok(&["annotate", "hpa", "web", "--overwrite", &window]);
}

/// From two to eight, and in the middle of it.
fn the_api_server_is_killed(stage: &Stage) {
    let before = stage.audit.scales().len();
    stage.load(4);
    stage.replicas(4);
    stage.load(6);
    stage.plane.kill("kube-apiserver");
    stage.plane.run(&["start", "kube-apiserver"]);
    stage.replicas(6);
    stage.load(8);
    stage.replicas(8);
    scaled(stage, before, &[(4, true), (6, true), (8, true)]);
    leaders(&stage.audit.writes());
}

/// From eight, which are held the while, to ten and back to two.
fn etcd_is_away(stage: &Stage, ours: &[&Process]) {
    let before = stage.audit.scales().len();
    hold(stage, "10m");
    stage.load(2);
    stage.condition("AbleToScale", |said| {
        said.starts_with("True ScaleDownStabilized")
    });
    let kubectl = &stage.kubectl;
    stage.plane.signal("etcd", "-STOP");
    let stopped = now();
    let ask = ["get", "--raw", "/readyz/etcd", "--request-timeout=10s"];
    kubectl.refused(&ask);
    pause(AWAY);
    stage.plane.signal("etcd", "-CONT");
    let answers = now();
    kubectl.until(&ask, |answer| answer == "ok");
    for decision in decided_since(ours, stopped, answers) {
        assert_eq!(decision["desiredReplicas"], 8, "{decision}");
    }
    let history = r"jsonpath={.metadata.annotations.evenkeel\.dev/history}";
    let history = kubectl.ok(&["get", "hpa", "web", "-o", history]);
    assert!(history.contains(r#""recommendations":[[8,"#), "{history}");
    stage.load(10);
    stage.replicas(10);
    hold(stage, "0s");
    stage.load(2);
    stage.replicas(2);
    scaled(stage, before, &[(10, true), (2, false)]);
}

fn now() -> units::Timestamp {
    units::Timestamp::from_nanos(runtime::clock::now().as_nanosecond())
}

/// From two to four, where they stay while nobody knows.
fn metrics_server_is_gone(stage: &Stage, mut metrics: Process) {
    let before = stage.audit.scales().len();
    stage.load(4);
    stage.replicas(4);
    metrics.kill();
    stage.load(2);
    stage.condition("ScalingActive", |said| said == WITHOUT_METRICS);
    let able =
        "True SucceededGetScale the HPA controller was able to get the target's current scale";
    stage.condition("AbleToScale", |said| said == able);
    for reason in ["FailedGetResourceMetric", "FailedComputeMetricsReplicas"] {
        stage
            .kubectl
            .until(&["get", "events"], |events| events.contains(reason));
    }
    scaled(stage, before, &[(4, true)]);
    let again = stage.metrics_server(metrics.port);
    stage.condition("ScalingActive", |said| {
        said.starts_with("True ValidMetricFound")
    });
    stage.replicas(2);
    scaled(stage, before, &[(4, true), (2, false)]);
    drop(again);
}
