//! HorizontalPodAutoscalers of evenkeel.dev/v1: served with the shipped rights, beside upstream's and instead of them.

use crate::rights::{self, ACCOUNT};
use crate::world::{DEADLINE, NAMESPACE, World, autoscaler, condition, create};
use hpa_controller::{Config, HpaFlags, Kind};
use k8s::own_kind::{ANOTHER, API_VERSION, HANDOVER, INVALID, definition};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::DropGuard;

const NAME: &str = "backend-app-hpa";
const BOTH: [Kind; 2] = [Kind::Autoscaling, Kind::Evenkeel];
const OURS: [Kind; 1] = [Kind::Evenkeel];

fn ours() -> Value {
    let mut object = autoscaler();
    object["apiVersion"] = API_VERSION.into();
    let spec = object["spec"].as_object_mut().unwrap();
    spec.remove("targetCPUUtilizationPercentage");
    spec.insert(
        "metrics".to_owned(),
        json!([{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50}}}]),
    );
    object
}

/// Something that becomes true, or the test fails.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(DEADLINE, wait).await.is_ok(), "never: {what}");
}

impl World {
    fn definitions(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        Api::all_with(self.lab.client.clone(), &ApiResource::from_gvk(&kind))
    }

    async fn define(&self) {
        create(&self.definitions(), definition()).await;
        let hpas = self.hpas(API_VERSION);
        until("the kind is served", || async {
            hpas.get_opt("none")
                .await
                .is_ok_and(|found| found.is_none())
                && hpas.list(&kube::api::ListParams::default()).await.is_ok()
        })
        .await;
    }

    fn serve(&self, kinds: &[Kind], sync_period: units::Duration) -> DropGuard {
        let flags = HpaFlags {
            sync_period,
            downscale_stabilization: units::Duration::ZERO,
            ..HpaFlags::default()
        };
        let config = Config {
            serve: kinds.to_vec(),
            ..self.config(flags, &self.decisions)
        };
        self.start_config(ACCOUNT, config)
    }

    async fn own(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.hpa_of(API_VERSION, wanted).await
    }

    async fn change(&self, version: &str, change: &Value) {
        let params = PatchParams::default();
        let patch = Patch::Merge(change);
        self.hpas(version)
            .patch(NAME, &params, &patch)
            .await
            .unwrap();
    }

    /// Waits until the controller has looked at ours once more.
    async fn looked_at_again(&self, question: &str) -> Value {
        let ask = json!({"metadata": {"annotations": {HANDOVER: question}}});
        self.change(API_VERSION, &ask).await;
        self.own(|own| own["status"]["handover"] == question).await
    }
}

fn often() -> units::Duration {
    units::Duration::from_millis(100)
}

/// So long that nothing is looked at twice, unless something else is the reason.
fn never() -> units::Duration {
    units::Duration::from_seconds(36_000)
}

fn able(own: &Value) -> &Value {
    &condition(own, "AbleToScale")["reason"]
}

async fn world() -> World {
    let world = rights::world(&[]).await;
    world.use_cpu("95m");
    world.workload().await;
    world
}

#[tokio::test]
async fn ours_is_served_as_upstreams_is_with_the_shipped_rights_alone() {
    let world = world().await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, often());
    let own = world.own(|own| own["status"]["desiredReplicas"] == 4).await;
    assert_eq!(able(&own), "SucceededRescale");
    let status = &own["status"];
    assert_eq!(status["reference"], "Deployment/backend-app");
    assert_eq!(status["targets"], "cpu: 95%/50%");
    assert_eq!(status["observedGeneration"], own["metadata"]["generation"]);
    assert_eq!(own["metadata"].get("annotations"), None);
    assert_eq!(world.replicas().await, 4);
    let message =
        "New size: 4; reason: cpu resource utilization (percentage of request) above target";
    let about = world
        .event("SuccessfulRescale", message)
        .await
        .involved_object;
    assert_eq!(about.api_version.as_deref(), Some(API_VERSION));
    assert_eq!(about.uid.as_deref(), own["metadata"]["uid"].as_str());
    assert_eq!(world.refused.texts(), [""; 0], "nothing more is asked for");
}

#[tokio::test]
async fn without_a_right_for_ours_the_log_or_an_event_says_which() {
    for (right, verb) in [
        (("evenkeel.dev", "horizontalpodautoscalers", "list"), "list"),
        (
            ("evenkeel.dev", "horizontalpodautoscalers", "watch"),
            "watch",
        ),
        (
            ("evenkeel.dev", "horizontalpodautoscalers/status", "update"),
            "update",
        ),
    ] {
        let world = rights::world(&[right]).await;
        world.use_cpu("95m");
        world.workload().await;
        world.define().await;
        create(&world.hpas(API_VERSION), ours()).await;
        let _controller = world.serve(&OURS, often());
        let text = format!(
            "cannot {verb} resource \"{}\" in API group \"evenkeel.dev\"",
            right.1
        );
        until(&text, || async {
            world.refused.texts().iter().any(|t| t.contains(&text))
        })
        .await;
    }
}

#[tokio::test]
async fn ours_stands_by_while_upstreams_has_the_target_and_acts_at_once_when_it_is_gone() {
    let world = world().await;
    world.define().await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, never());
    let own = world.own(|own| able(own) == ANOTHER).await;
    let message = "the target is scaled by autoscaling/v2 HorizontalPodAutoscaler backend-app-hpa: delete it, or move it over with evenkeel adopt";
    assert_eq!(condition(&own, "AbleToScale")["message"], message);
    assert_eq!(own["status"]["observedGeneration"], 1);
    world.event(ANOTHER, message).await;
    assert_eq!(world.replicas().await, 2);
    assert_eq!(world.decisions.lock().unwrap().len(), 0);

    let hpas = world.hpas("autoscaling/v2");
    hpas.delete(NAME, &DeleteParams::default()).await.unwrap();
    world.own(|own| able(own) == "SucceededRescale").await;
    assert_eq!(world.replicas().await, 4);
}

#[tokio::test]
async fn what_is_written_into_ours_just_before_upstreams_goes_counts() {
    let world = world().await;
    world.define().await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, never());
    world.own(|own| able(own) == ANOTHER).await;
    let since = json!({"status": {"lastScaleTime": "2026-01-01T11:00:00Z"}});
    let (params, patch) = (PatchParams::default(), Patch::Merge(&since));
    // No change of what it is to do: the load is as wanted.
    world.use_cpu("50m");
    world
        .hpas(API_VERSION)
        .patch_status(NAME, &params, &patch)
        .await
        .unwrap();
    let hpas = world.hpas("autoscaling/v2");
    hpas.delete(NAME, &DeleteParams::default()).await.unwrap();
    let own = world.own(|own| able(own) == "ReadyForNewScale").await;
    assert_eq!(own["status"]["lastScaleTime"], "2026-01-01T11:00:00Z");
}

#[tokio::test]
async fn ours_yields_to_an_autoscaler_that_comes_later() {
    let world = world().await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, often());
    world.own(|own| own["status"]["desiredReplicas"] == 4).await;
    let mut other = autoscaler();
    other["metadata"]["name"] = "other".into();
    create(&world.hpas("autoscaling/v1"), other).await;
    world.own(|own| able(own) == ANOTHER).await;
    let before = world.decisions.lock().unwrap().len();
    world.use_cpu("5m");
    let own = world.looked_at_again("twice").await;
    assert_eq!(able(&own), ANOTHER);
    assert_eq!(world.decisions.lock().unwrap().len(), before);
    assert_eq!(world.replicas().await, 4);
    assert_eq!(own["status"]["desiredReplicas"], 4, "what it said last");
}

#[tokio::test]
async fn where_both_are_served_upstreams_acts_and_ours_stands_by() {
    let world = world().await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    let _controller = world.serve(&BOTH, often());
    let plain = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    assert_eq!(condition(&plain, "ScalingActive")["status"], "True");
    world.own(|own| able(own) == ANOTHER).await;
    assert_eq!(world.replicas().await, 4);
}

#[tokio::test]
async fn two_of_ours_with_one_target_are_ambiguous() {
    let world = world().await;
    world.define().await;
    for name in [NAME, "second"] {
        let mut own = ours();
        own["metadata"]["name"] = name.into();
        create(&world.hpas(API_VERSION), own).await;
    }
    let _controller = world.serve(&OURS, often());
    let own = world
        .own(|own| condition(own, "ScalingActive")["reason"] == "AmbiguousSelector")
        .await;
    let message = condition(&own, "ScalingActive")["message"]
        .as_str()
        .unwrap();
    let both = format!("{NAMESPACE}/{NAME} (evenkeel.dev) {NAMESPACE}/second (evenkeel.dev)");
    assert!(message.contains(&both), "{message}");
}

#[tokio::test]
async fn a_kind_that_is_not_there_yet_disturbs_nobody_and_is_served_when_it_comes() {
    let world = world().await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    let _controller = world.serve(&BOTH, often());
    world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    world.own(|own| able(own) == ANOTHER).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_goes_takes_its_autoscalers_along() {
    let world = world().await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, often());
    world.own(|own| own["status"]["desiredReplicas"] == 4).await;
    let name = "horizontalpodautoscalers.evenkeel.dev";
    let definitions = world.definitions();
    definitions
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
    until("the definition is gone", || async {
        definitions.get_opt(name).await.unwrap().is_none()
    })
    .await;
    // It is looked at ten times a second, and now no more.
    sleep(Duration::from_secs(60)).await;
    let decided = || world.decisions.lock().unwrap().len();
    let before = decided();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(decided(), before);
}

#[tokio::test]
async fn what_the_api_server_should_have_refused_is_not_acted_on() {
    let world = world().await;
    world.define().await;
    let mut own = ours();
    own["spec"]["minReplicas"] = 7.into();
    create(&world.hpas(API_VERSION), own).await;
    let _controller = world.serve(&OURS, often());
    let own = world.own(|own| able(own) == INVALID).await;
    assert_eq!(
        condition(&own, "AbleToScale")["message"],
        "the specification is invalid: spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"
    );
    assert_eq!(world.replicas().await, 2);
    world
        .change(API_VERSION, &json!({"spec": {"minReplicas": 2}}))
        .await;
    world.own(|own| own["status"]["desiredReplicas"] == 4).await;
}

#[tokio::test]
async fn a_change_of_ours_is_looked_at_at_once_and_the_scale_is_its_floor() {
    let world = world().await;
    world.use_cpu("50m");
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    let _controller = world.serve(&OURS, never());
    world.own(|own| able(own) == "ReadyForNewScale").await;
    let floor = json!({"spec": {"replicas": 3}});
    let hpas = world.hpas(API_VERSION);
    let (params, patch) = (PatchParams::default(), Patch::Merge(&floor));
    hpas.patch_scale(NAME, &params, &patch).await.unwrap();
    let own = world.own(|own| own["status"]["desiredReplicas"] == 3).await;
    assert_eq!(own["spec"]["minReplicas"], 3);
    assert_eq!(own["status"]["observedGeneration"], 2);
}

#[tokio::test(start_paused = true)]
async fn what_ours_remembers_is_in_its_status_and_outlives_the_controller() {
    let world = world().await;
    world.define().await;
    create(&world.hpas(API_VERSION), ours()).await;
    let start = || {
        let flags = HpaFlags {
            downscale_stabilization: units::Duration::from_seconds(60),
            ..HpaFlags::default()
        };
        let config = Config {
            serve: OURS.to_vec(),
            ..world.config(flags, &world.decisions)
        };
        world.start_config(ACCOUNT, config)
    };
    let first = start();
    sleep(Duration::from_secs(20)).await;
    world.use_cpu("5m");
    sleep(Duration::from_secs(20)).await;
    drop(first);
    let kept = world.own(|own| own["status"]["history"].is_string()).await;
    let kept = kept["status"]["history"].as_str().unwrap();
    assert!(kept.contains(r#""recommendations":[[4,"#), "{kept}");
    world.decisions.lock().unwrap().clear();
    let _second = start();
    sleep(Duration::from_secs(60)).await;
    let desired: Vec<i32> = world
        .decisions
        .lock()
        .unwrap()
        .iter()
        .map(|d| d.desired)
        .collect();
    assert_eq!(desired.first(), Some(&4), "held, not held anew");
    assert_eq!(
        desired.last(),
        Some(&2),
        "and let go when the first one would have"
    );
    assert_eq!(world.own(|_| true).await["status"].get("history"), None);
}
