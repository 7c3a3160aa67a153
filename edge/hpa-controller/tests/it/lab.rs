//! The controller on a lab in memory, with no more rights than its own service account has.
//!
//! Where metrics-server would be, behind the aggregation layer, stands a list that the test sets.

use crate::aggregated::{Aggregated, PodMetrics};
use hpa_controller::{Config, DecisionRecord, HpaFlags, run};
use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use lab_server::User;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::Lab;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "eks-work";
const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    lab: Lab,
    shutdown: CancellationToken,
    decisions: Arc<Mutex<Vec<DecisionRecord>>>,
    metrics: PodMetrics,
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

impl World {
    async fn new() -> Self {
        let world = Self {
            lab: testkit::lab().await.unwrap(),
            shutdown: CancellationToken::new(),
            decisions: Arc::default(),
            metrics: PodMetrics::default(),
        };
        let namespaces = Api::all_with(
            world.lab.client.clone(),
            &resource("v1", "Namespace", "namespaces"),
        );
        create(
            &namespaces,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        )
        .await;
        let accounts = world.api("v1", "ServiceAccount", "serviceaccounts");
        create(
            &accounts,
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}),
        )
        .await;
        world
    }

    fn api(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        Api::namespaced_with(
            self.lab.client.clone(),
            NAMESPACE,
            &resource(api_version, kind, plural),
        )
    }

    fn start(&self) {
        let account = User::new(
            "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
            &[
                "system:serviceaccounts",
                "system:serviceaccounts:kube-system",
            ],
        );
        let decisions = self.decisions.clone();
        let config = Config {
            flags: HpaFlags {
                sync_period: units::Duration::from_millis(100),
                downscale_stabilization: units::Duration::ZERO,
                ..HpaFlags::default()
            },
            on_decision: Some(Arc::new(move |record: &DecisionRecord| {
                decisions.lock().unwrap().push(record.clone());
            })),
        };
        let service = Aggregated {
            server: self.lab.server.as_user(account),
            metrics: self.metrics.clone(),
        };
        let client = Client::new(service, "default");
        tokio::spawn(run(client, config, self.shutdown.clone()));
    }

    /// A Deployment of two pods that request 100m each, and an autoscaling/v1 HPA: 2..5, 50 %.
    async fn backend(&self) {
        create(
            &self.api("apps/v1", "Deployment", "deployments"),
            deployment(),
        )
        .await;
        for name in ["backend-app-1", "backend-app-2"] {
            self.pod(name).await;
        }
        let hpas = self.api(
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        );
        create(&hpas, autoscaler()).await;
    }

    async fn pod(&self, name: &str) {
        let pods = self.api("v1", "Pod", "pods");
        create(
            &pods,
            json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "backend-app"}},
                "spec": {"containers": [{"name": "app", "image": "backend-app",
                    "resources": {"requests": {"cpu": "100m"}}}]}}),
        )
        .await;
        let status = json!({"status": {"phase": "Running", "startTime": "2020-01-01T00:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:10Z"}]}});
        pods.patch_status(name, &PatchParams::default(), &Patch::Merge(&status))
            .await
            .unwrap();
    }

    fn use_cpu(&self, usage: &str) {
        let item = |name: &str| {
            json!({"metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "backend-app"}},
                "timestamp": "2026-01-01T12:00:00Z", "window": "15s",
                "containers": [{"name": "app", "usage": {"cpu": usage, "memory": "10Mi"}}]})
        };
        self.metrics
            .set(vec![item("backend-app-1"), item("backend-app-2")]);
    }

    /// Waits until the HPA satisfies `wanted`, and gives it.
    async fn hpa(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let hpas = self.api(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        );
        let seen = Mutex::new(Value::Null);
        let wait = async {
            loop {
                let object =
                    serde_json::to_value(hpas.get("backend-app-hpa").await.unwrap()).unwrap();
                let done = wanted(&object);
                *seen.lock().unwrap() = object;
                if done {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = timeout(DEADLINE, wait).await;
        let seen = seen.into_inner().unwrap();
        assert!(waited.is_ok(), "it did not come to that: {seen:#}");
        seen
    }

    async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.lab.client.clone(), NAMESPACE);
        events.list(&ListParams::default()).await.unwrap().items
    }

    async fn event(&self, reason: &str, message: &str) -> Event {
        let wait = async {
            loop {
                let found = self.events().await.into_iter().find(|e| {
                    e.reason.as_deref() == Some(reason) && e.message.as_deref() == Some(message)
                });
                if let Some(event) = found {
                    return event;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, wait)
            .await
            .unwrap_or_else(|_| panic!("no event {reason}: {message}"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.lab.shutdown.cancel();
    }
}

async fn create(api: &Api<DynamicObject>, object: Value) {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "backend-app", "namespace": NAMESPACE},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "backend-app"}},
            "template": {"metadata": {"labels": {"app": "backend-app"}},
                "spec": {"containers": [{"name": "app", "image": "backend-app"}]}}}})
}

fn autoscaler() -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app-hpa", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 50}})
}

fn condition<'a>(hpa: &'a Value, kind: &str) -> &'a Value {
    hpa["status"]["conditions"]
        .as_array()
        .and_then(|list| list.iter().find(|c| c["type"] == kind))
        .unwrap_or(&Value::Null)
}

#[tokio::test]
async fn load_scales_a_deployment_up_and_its_end_scales_it_down() {
    let world = World::new().await;
    world.use_cpu("95m");
    world.backend().await;
    world.start();

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
    world.start();
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
    let hpas = world.api(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
    );
    create(&hpas, autoscaler()).await;
    world.start();
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
