//! Feature gates, in the API and in decisions.

use crate::world::{World, condition, create, deployment};
use hpa_controller::HpaFlags;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1/namespaces/eks-work/queue";

fn flags(gates: &str) -> HpaFlags {
    HpaFlags {
        sync_period: units::Duration::from_millis(100),
        downscale_stabilization: units::Duration::ZERO,
        feature_gates: vec![gates.parse().unwrap()],
        ..HpaFlags::default()
    }
}

fn queue(length: &str) -> Value {
    json!({"kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1",
        "metadata": {}, "items": [{"metricName": "queue", "metricLabels": {},
            "timestamp": "2026-01-01T12:00:00Z", "value": length}]})
}

fn hpa(min: i32) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app-hpa"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": min, "maxReplicas": 5,
            "behavior": {"scaleUp": {"tolerance": "300m"}},
            "metrics": [{"type": "External", "external": {"metric": {"name": "queue"},
                "target": {"type": "AverageValue", "averageValue": "10"}}}]}})
}

#[tokio::test]
async fn with_its_gate_a_target_goes_to_zero_and_comes_back() {
    let flags = flags("HPAScaleToZero=true");
    let world = World::with_gates(flags.gates()).await;
    world.adapter.put(EXTERNAL, &queue("0"));
    create(
        &world.api("apps/v1", "Deployment", "deployments"),
        deployment(),
    )
    .await;
    create(&world.hpas("autoscaling/v2"), hpa(0)).await;
    let _controller = world.start_with(flags);
    let zero = world
        .hpa(|hpa| condition(hpa, "ScaledToZero")["status"] == "True")
        .await;
    assert_eq!(zero["status"]["desiredReplicas"], 0);
    world.adapter.put(EXTERNAL, &queue("15"));
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 2).await;
}

#[tokio::test]
async fn without_its_gate_the_api_refuses_a_minimum_of_zero() {
    let world = World::new().await;
    let hpas = world.hpas("autoscaling/v2");
    let object = serde_json::from_value(hpa(0)).unwrap();
    let refused = hpas
        .create(&kube::api::PostParams::default(), &object)
        .await;
    let kube::Error::Api(status) = refused.unwrap_err() else {
        panic!("no answer")
    };
    assert_eq!(
        status.message,
        "HorizontalPodAutoscaler.autoscaling \"backend-app-hpa\" is invalid: spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"
    );
}

#[tokio::test]
async fn while_tolerances_are_off_new_ones_are_dropped() {
    let world = World::with_gates(flags("AllBeta=false").gates()).await;
    let hpas = world.hpas("autoscaling/v2");
    create(&hpas, hpa(1)).await;
    let up = |object: &kube::api::DynamicObject| object.data["spec"]["behavior"]["scaleUp"].clone();
    let created = hpas.get("backend-app-hpa").await.unwrap();
    assert_eq!(up(&created)["tolerance"], Value::Null);
    assert_eq!(up(&created)["selectPolicy"], "Max");
    let patch = json!({"spec": {"behavior": {"scaleUp": {"tolerance": "1"}}}});
    let patched = hpas
        .patch(
            "backend-app-hpa",
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await
        .unwrap();
    assert_eq!(up(&patched)["tolerance"], Value::Null);
}
