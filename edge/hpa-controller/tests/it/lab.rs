//! The controller on a lab in memory, from load to events.

use crate::world::{DEADLINE, World, autoscaler, condition, create};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn load_scales_a_deployment_up_and_its_end_scales_it_down() {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    let _controller = world.start();

    let up = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    assert_eq!(condition(&up, "AbleToScale")["reason"], "SucceededRescale");
    assert_eq!(
        up["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"],
        95
    );
    let event = world
        .event(
            "SuccessfulRescale",
            "New size: 4; reason: cpu resource utilization (percentage of request) above target",
        )
        .await;
    assert_eq!(event.type_.as_deref(), Some("Normal"));
    assert_eq!(
        event.source.unwrap().component.as_deref(),
        Some("horizontal-pod-autoscaler")
    );

    world.use_cpu("5m");
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 2).await;
    world
        .event(
            "SuccessfulRescale",
            "New size: 2; reason: All metrics below target",
        )
        .await;
    let records = world.decisions.lock().unwrap();
    let first = records.iter().find(|r| r.desired == 4).unwrap();
    assert_eq!(
        (
            first.current,
            first.metrics[0].current,
            first.metrics[0].target
        ),
        (2, 95, 50)
    );
}

#[tokio::test]
async fn without_metrics_it_says_so_and_counts_the_event() {
    let world = World::new().await;
    world.backend().await;
    let _controller = world.start();
    let hpa = world
        .hpa(|hpa| condition(hpa, "ScalingActive")["status"] == "False")
        .await;
    let cause = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
    assert_eq!(
        condition(&hpa, "ScalingActive")["reason"],
        "FailedGetResourceMetric"
    );
    assert_eq!(
        condition(&hpa, "ScalingActive")["message"],
        format!("the HPA was unable to compute the replica count: {cause}")
    );
    let wait = async {
        while world.event("FailedGetResourceMetric", cause).await.count < Some(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap();
}

#[tokio::test]
async fn a_target_that_is_not_there_is_named() {
    let world = World::new().await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    let _controller = world.start();
    let hpa = world
        .hpa(|hpa| condition(hpa, "AbleToScale")["status"] == "False")
        .await;
    assert_eq!(
        condition(&hpa, "AbleToScale")["message"],
        "the HPA controller was unable to get the target's current scale: deployments.apps \"backend-app\" not found"
    );
    world
        .event(
            "FailedGetScale",
            "deployments.apps \"backend-app\" not found",
        )
        .await;
}
