//! What is watched is not asked for, and new samples count at once.

use crate::world::{DEADLINE, World, autoscaler, condition};
use hpa_controller::HpaFlags;
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// So long that no second look comes of it within a test.
fn once() -> HpaFlags {
    HpaFlags {
        sync_period: units::Duration::from_seconds(3_600),
        downscale_stabilization: units::Duration::ZERO,
        ..HpaFlags::default()
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let done = timeout(DEADLINE, wait).await;
    assert!(done.is_ok(), "it never came to that: {what}");
}

#[tokio::test]
async fn new_samples_are_decided_on_without_waiting_for_the_period() {
    let world = World::new().await;
    world.metrics.let_watch();
    world.use_cpu("50m");
    world.backend().await;
    let _controller = world.start_with(once());
    world
        .hpa(|hpa| condition(hpa, "ScalingActive")["status"] == "True")
        .await;
    until("samples are watched", || world.metrics.watched() == 1).await;
    // The first look may have been before the watch, and then knows of no samples to be newer than.
    let scaled = async {
        loop {
            world.use_cpu("95m");
            let wait = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4);
            if timeout(Duration::from_millis(500), wait).await.is_ok() {
                return;
            }
        }
    };
    timeout(DEADLINE, scaled).await.unwrap();
    let decisions = world.decisions.lock().unwrap();
    assert!(decisions.iter().any(|d| d.current == 2 && d.desired == 4));
}

#[tokio::test]
async fn a_changed_specification_is_decided_on_at_once() {
    let world = World::new().await;
    world.use_cpu("50m");
    world.backend().await;
    let _controller = world.start_with(once());
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 2).await;
    let mut changed = autoscaler();
    changed["spec"]["minReplicas"] = json!(3);
    let hpas = world.hpas("autoscaling/v1");
    let object = serde_json::from_value(changed).unwrap();
    let current = hpas.get("backend-app-hpa").await.unwrap();
    let mut object: kube::api::DynamicObject = object;
    object.metadata.resource_version = current.metadata.resource_version;
    hpas.replace("backend-app-hpa", &Default::default(), &object)
        .await
        .unwrap();
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 3).await;
}

#[tokio::test]
async fn when_the_watch_of_samples_breaks_they_are_asked_for() {
    let world = World::new().await;
    world.metrics.let_watch();
    world.use_cpu("50m");
    world.backend().await;
    let _controller = world.start();
    until("samples are watched", || world.metrics.watched() == 1).await;
    world.metrics.end_watches();
    world.use_cpu("95m");
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
}

#[tokio::test]
async fn a_scale_that_somebody_else_changes_is_seen() {
    let world = World::new().await;
    world.use_cpu("50m");
    world.backend().await;
    let _controller = world.start();
    world.hpa(|hpa| hpa["status"]["currentReplicas"] == 2).await;
    let deployments = world.api("apps/v1", "Deployment", "deployments");
    let patch = kube::api::Patch::Merge(json!({"spec": {"replicas": 5}}));
    deployments
        .patch("backend-app", &Default::default(), &patch)
        .await
        .unwrap();
    world.hpa(|hpa| hpa["status"]["currentReplicas"] == 5).await;
    // Two pods at their target: the others are not there, and the number goes back.
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 2).await;
    let replicas = async {
        loop {
            let object = deployments.get("backend-app").await.unwrap();
            if object.data["spec"]["replicas"] == 2 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, replicas).await.unwrap();
}

#[tokio::test]
async fn a_shadow_decides_and_changes_nothing() {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    let config = hpa_controller::Config {
        shadow: true,
        ..world.config(
            HpaFlags {
                sync_period: units::Duration::from_millis(100),
                ..HpaFlags::default()
            },
            &world.decisions,
        )
    };
    let client = world.client_of("horizontal-pod-autoscaler");
    let stop = world.lab.shutdown.child_token();
    tokio::spawn(hpa_controller::run(client, config, stop));
    let wanted = || {
        let decisions = world.decisions.lock().unwrap();
        decisions
            .iter()
            .filter(|d| d.rescale && d.desired == 4)
            .count()
            >= 3
    };
    until("it wants four, again and again", wanted).await;
    let hpa = world.hpa(|_| true).await;
    assert_eq!(hpa["status"]["conditions"], serde_json::Value::Null);
    let deployments = world.api("apps/v1", "Deployment", "deployments");
    let object = deployments.get("backend-app").await.unwrap();
    assert_eq!(object.data["spec"]["replicas"], 2);
    assert!(world.events().await.is_empty());
    assert_eq!(world.refused.texts(), Vec::<String>::new());
}
