//! What controllers remember of one another, in paused time: one ends and another begins.

use crate::world::{BEGINNING, World, create, deployment};
use hpa_controller::HpaFlags;
use k8s::autoscaling::history::ANNOTATION;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;
use units::Duration as Span;

const HPA: &str = "backend-app-hpa";

/// Looks every 15 seconds, and holds for a minute.
fn flags() -> HpaFlags {
    HpaFlags {
        downscale_stabilization: Span::from_seconds(60),
        ..HpaFlags::default()
    }
}

async fn seconds(number: u64) {
    sleep(Duration::from_secs(number)).await;
}

impl World {
    /// When, and to how many, since the last time this was asked.
    fn decided(&self) -> Vec<(i64, i32)> {
        let mut decisions = self.decisions.lock().unwrap();
        let since = |at: units::Timestamp| at.seconds() - BEGINNING.seconds();
        decisions
            .drain(..)
            .map(|d| (since(d.at), d.desired))
            .collect()
    }

    async fn object(&self) -> Value {
        serde_json::to_value(self.hpas("autoscaling/v2").get(HPA).await.unwrap()).unwrap()
    }

    async fn annotation(&self) -> Option<String> {
        let object = self.object().await;
        Some(
            object["metadata"]["annotations"][ANNOTATION]
                .as_str()?
                .to_owned(),
        )
    }

    async fn annotate(&self, text: &str) {
        let patch = json!({"metadata": {"annotations": {ANNOTATION: text}}});
        self.hpas("autoscaling/v2")
            .patch(HPA, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }
}

/// Under load until 15 seconds have passed, then idle; the first controller ends after 40.
async fn held() -> World {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    let first = world.start_with(flags());
    seconds(20).await;
    world.use_cpu("5m");
    seconds(20).await;
    drop(first);
    assert_eq!(world.decided(), [(0, 4), (15, 4), (30, 4)]);
    seconds(10).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_number_that_was_held_stays_held_for_the_rest_of_its_window_and_no_longer() {
    let world = held().await;
    let kept = world.annotation().await.unwrap();
    assert!(kept.contains(r#""recommendations":[[4,15"#), "{kept}");
    let second = world.start_with(flags());
    seconds(35).await;
    assert_eq!(world.decided(), [(50, 4), (65, 4), (80, 2)]);
    assert_eq!(world.annotation().await, None);
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn without_what_was_kept_it_is_held_for_a_whole_window_again() {
    let world = held().await;
    world.annotate("{}").await;
    let _second = world.start_with(flags());
    seconds(70).await;
    assert_eq!(
        world.decided(),
        [(50, 4), (65, 4), (80, 4), (95, 4), (110, 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn controllers_that_end_at_every_look_decide_as_one_that_does_not() {
    let world = held().await;
    for _ in 0..4 {
        let controller = world.start_with(flags());
        seconds(5).await;
        drop(controller);
        seconds(5).await;
    }
    assert_eq!(world.decided(), [(50, 4), (60, 4), (70, 4), (80, 2)]);
}

#[tokio::test(start_paused = true)]
async fn what_policies_allowed_already_is_not_allowed_again() {
    let world = World::new().await;
    world.use_cpu("95m");
    create(
        &world.api("apps/v1", "Deployment", "deployments"),
        deployment(),
    )
    .await;
    for name in ["backend-app-1", "backend-app-2"] {
        world.pod(name).await;
    }
    let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": HPA},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": 2, "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}],
            "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}}});
    create(&world.hpas("autoscaling/v2"), hpa).await;
    let first = world.start_with(flags());
    seconds(20).await;
    drop(first);
    let kept = world.annotation().await.unwrap();
    assert!(kept.contains(r#""ups":[[1,"#), "{kept}");
    let _second = world.start_with(flags());
    seconds(50).await;
    assert_eq!(
        world.decided(),
        [(0, 3), (15, 3), (20, 3), (35, 3), (50, 3), (65, 4)]
    );
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_ignored_and_cleared_away() {
    let texts = [
        "",
        "null",
        r#"{"v":9}"#,
        r#"{"v":1,"at":"2036-01-01T12:00:00Z"}"#,
        &"x".repeat(9_000),
    ];
    for text in texts {
        let world = World::new().await;
        world.use_cpu("50m");
        world.backend().await;
        world.annotate(text).await;
        let _controller = world.start_with(flags());
        seconds(5).await;
        assert_eq!(world.decided(), [(0, 2)], "{text:.40}");
        assert_eq!(world.annotation().await, None, "{text:.40}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_steady_target_costs_no_writes_and_carries_nothing() {
    let world = World::new().await;
    world.use_cpu("50m");
    world.backend().await;
    let _controller = world.start_with(flags());
    seconds(20).await;
    let before = world.object().await;
    assert_eq!(before["metadata"]["annotations"], Value::Null);
    seconds(600).await;
    assert_eq!(world.object().await, before);
    assert_eq!(world.decided().len(), 42);
}

#[tokio::test(start_paused = true)]
async fn while_a_number_is_held_the_same_memory_is_not_written_again() {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    let long = HpaFlags {
        downscale_stabilization: Span::from_seconds(600),
        ..HpaFlags::default()
    };
    let _controller = world.start_with(long);
    seconds(20).await;
    world.use_cpu("5m");
    seconds(20).await;
    let before = world.object().await;
    assert!(world.annotation().await.is_some());
    seconds(500).await;
    assert_eq!(world.object().await, before);
}
