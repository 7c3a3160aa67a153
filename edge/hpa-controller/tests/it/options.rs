//! What autoscalers may ask for beyond upstream, on a lab in memory.

use crate::world::{BEGINNING, DEADLINE, NAMESPACE, World, condition};
use hpa_controller::HpaFlags;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const HPA: &str = "backend-app-hpa";
const WOULD: &str = "from 2 to 4 (cpu resource utilization (percentage of request) above target)";

impl World {
    /// Sets options, or takes them away.
    pub(crate) async fn ask_for(&self, options: Value) {
        let options = options.as_object().unwrap().iter();
        let named = options.map(|(name, value)| (format!("evenkeel.dev/{name}"), value.clone()));
        let annotations: serde_json::Map<String, Value> = named.collect();
        let patch = json!({"metadata": {"annotations": annotations}});
        self.hpas("autoscaling/v2")
            .patch(HPA, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }

    /// How many replicas the Deployment is set to.
    pub(crate) async fn replicas(&self) -> Value {
        let deployments = self.api("apps/v1", "Deployment", "deployments");
        let object = deployments.get("backend-app").await.unwrap();
        object.data["spec"]["replicas"].clone()
    }

    /// Waits until so many more decisions were made.
    async fn looks(&self, number: usize) {
        let count = || self.decisions.lock().unwrap().len();
        let wanted = count() + number;
        let wait = async {
            while count() < wanted {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap();
    }
}

/// A Deployment of two pods at twice their target.
async fn busy(options: Value) -> World {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    world.ask_for(options).await;
    world
}

fn says(hpa: &Value, kind: &str, message: &str) -> bool {
    condition(hpa, kind)["message"] == message
}

#[tokio::test]
async fn paused_it_scales_nothing_until_it_goes_on() {
    let world = busy(json!({"paused": "true"})).await;
    let _controller = world.start();
    let message = format!("evenkeel.dev/paused is true: not scaled {WOULD}");
    let hpa = world.hpa(|hpa| says(hpa, "Paused", &message)).await;
    assert_eq!(condition(&hpa, "Paused")["reason"], "ChangeWithheld");
    assert_eq!(condition(&hpa, "ScalingActive")["status"], "True");
    assert_eq!(hpa["status"]["desiredReplicas"], 2);
    world.looks(5).await;
    assert_eq!(world.replicas().await, 2);

    world.ask_for(json!({"paused": null})).await;
    let hpa = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    assert_eq!(*condition(&hpa, "Paused"), Value::Null);
    assert_eq!(world.replicas().await, 4);
}

#[tokio::test]
async fn frozen_upwards_it_still_scales_down() {
    let world = busy(json!({"freeze": "up"})).await;
    let scale = json!({"spec": {"replicas": 3}});
    world
        .api("apps/v1", "Deployment", "deployments")
        .patch(
            "backend-app",
            &PatchParams::default(),
            &Patch::Merge(&scale),
        )
        .await
        .unwrap();
    let _controller = world.start();
    world
        .hpa(|hpa| condition(hpa, "Frozen")["reason"] == "ChangeWithheld")
        .await;
    world.looks(5).await;
    assert_eq!(world.replicas().await, 3);
    world.use_cpu("5m");
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 2).await;
    assert_eq!(world.replicas().await, 2);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = busy(json!({"dry-run": "true"})).await;
    let _controller = world.start();
    let hpa = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    let message = format!("evenkeel.dev/dry-run is true: would scale {WOULD}");
    assert!(says(&hpa, "DryRun", &message), "{hpa:#}");
    assert_eq!(hpa["status"]["currentReplicas"], 2);
    assert_eq!(hpa["status"]["lastScaleTime"], Value::Null);
    world.looks(5).await;
    assert_eq!(world.replicas().await, 2);
    let events = world.events().await;
    assert!(
        events
            .iter()
            .all(|e| e.reason.as_deref() != Some("SuccessfulRescale"))
    );
}

#[tokio::test]
async fn what_is_not_understood_is_told_once_and_the_rest_holds() {
    let world = busy(json!({"freeze": "left", "pasued": "true"})).await;
    let _controller = world.start();
    let freeze = "evenkeel.dev/freeze is ignored: \"left\" is not up or down";
    let name = "evenkeel.dev/pasued is not known and ignored; the nearest that is known is evenkeel.dev/paused";
    let hpa = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    let both = format!("{freeze}; {name}");
    assert!(says(&hpa, "InvalidOptions", &both), "{hpa:#}");
    for message in [freeze, name] {
        world.event("InvalidOption", message).await;
    }
    world.looks(10).await;
    for message in [freeze, name] {
        let event = world.event("InvalidOption", message).await;
        assert_eq!(event.count, Some(1), "{message}");
        assert_eq!(event.type_.as_deref(), Some("Warning"));
    }
    world.ask_for(json!({"freeze": "up", "pasued": null})).await;
    world
        .hpa(|hpa| {
            condition(hpa, "InvalidOptions").is_null() && !condition(hpa, "Frozen").is_null()
        })
        .await;
}

#[tokio::test]
async fn a_failed_metric_counts_as_a_fixed_number() {
    let world = World::new().await;
    world.backend().await;
    world.ask_for(json!({"fallback": "3"})).await;
    let _controller = world.start();
    let hpa = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 3).await;
    let message = "cpu resource failed and counts as 3";
    assert!(says(&hpa, "Fallback", message), "{hpa:#}");
    assert_eq!(condition(&hpa, "ScalingActive")["reason"], "FallbackUsed");
    let why = "New size: 3; reason: cpu resource failed and its fallback asks for more";
    world.event("SuccessfulRescale", why).await;
    assert_eq!(world.replicas().await, 3);
}

#[tokio::test]
async fn what_was_last_known_counts_for_the_next_controller_too() {
    let world = busy(json!({"fallback": "last-known-good"})).await;
    let first = world.start();
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    world.use_no_cpu();
    let message = "cpu resource failed and counts as 4, which it last asked for";
    world.hpa(|hpa| says(hpa, "Fallback", message)).await;
    drop(first);
    // Somebody scales by hand; the next controller remembers what was asked for.
    let scale = json!({"spec": {"replicas": 2}});
    world
        .api("apps/v1", "Deployment", "deployments")
        .patch(
            "backend-app",
            &PatchParams::default(),
            &Patch::Merge(&scale),
        )
        .await
        .unwrap();
    let _second = world.start();
    let wait = async {
        while world.replicas().await != 4 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap();
    let hpa = world.hpa(|hpa| says(hpa, "Fallback", message)).await;
    assert_eq!(condition(&hpa, "Fallback")["reason"], "LastKnownGood");
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_with_a_period_of_its_own_is_looked_at_by_that() {
    let world = busy(json!({"sync-period": "4s"})).await;
    let _controller = world.start_with(HpaFlags::default());
    sleep(Duration::from_secs(18)).await;
    let decisions = world.decisions.lock().unwrap();
    let since = |at: units::Timestamp| at.seconds() - BEGINNING.seconds();
    let at: Vec<i64> = decisions.iter().map(|d| since(d.at)).collect();
    assert_eq!(at, [0, 4, 8, 12, 16]);
}

/// A ReplicaSet of the Deployment that owns one pod, and a pod of nobody that burns much.
pub(crate) async fn a_stranger(world: &World) {
    let deployments = world.api("apps/v1", "Deployment", "deployments");
    let deployment = deployments.get("backend-app").await.unwrap();
    let owner = |kind: &str, name: &str, uid: Option<String>| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true}]);
    let labels = json!({"app": "backend-app"});
    let sets = world.api("apps/v1", "ReplicaSet", "replicasets");
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "backend-app-1", "namespace": NAMESPACE,
            "ownerReferences": owner("Deployment", "backend-app", deployment.metadata.uid)},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "backend-app"}]}}}});
    crate::world::create(&sets, set).await;
    let uid = sets.get("backend-app-1").await.unwrap().metadata.uid;
    let patch = json!({"metadata": {"ownerReferences": owner("ReplicaSet", "backend-app-1", uid)}});
    world
        .api("v1", "Pod", "pods")
        .patch(
            "backend-app-1",
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await
        .unwrap();
    world.use_cpu_each(&[("backend-app-1", "50m"), ("backend-app-2", "900m")]);
}
