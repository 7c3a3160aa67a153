//! A lab in memory with a controller that has no more rights than its own service account.
//!
//! Where metrics-server would be, behind the aggregation layer, stands a list that the test sets.

use crate::aggregated::{Adapter, Aggregated, PodMetrics, Refused};
use hpa_controller::{Config, DecisionRecord, HpaFlags, run};
use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use lab_server::{Gates, User};
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::Lab;
use tokio::time::{Instant, timeout};
use tokio_util::sync::DropGuard;
use units::Timestamp;

pub(crate) const NAMESPACE: &str = "eks-work";
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// 2026-01-01T12:00:00Z
pub(crate) const BEGINNING: Timestamp = Timestamp::from_seconds(1_767_268_800);

/// What was decided.
pub(crate) type Decisions = Arc<Mutex<Vec<DecisionRecord>>>;

/// A lab, its controller, and what the test sees of them.
pub(crate) struct World {
    pub(crate) lab: Lab,
    pub(crate) decisions: Decisions,
    pub(crate) metrics: PodMetrics,
    pub(crate) adapter: Adapter,
    pub(crate) refused: Refused,
    begun: Instant,
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_gates(Gates::default()).await
    }

    /// One whose API has features off or on.
    pub(crate) async fn with_gates(gates: Gates) -> Self {
        let world = Self {
            lab: testkit::lab_with(gates).await.unwrap(),
            decisions: Arc::default(),
            metrics: PodMetrics::default(),
            adapter: Adapter::default(),
            refused: Refused::default(),
            begun: Instant::now(),
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

    pub(crate) fn api(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        Api::namespaced_with(
            self.lab.client.clone(),
            NAMESPACE,
            &resource(api_version, kind, plural),
        )
    }

    /// A controller that looks ten times a second and holds nothing.
    pub(crate) fn start(&self) -> DropGuard {
        self.start_with(HpaFlags {
            sync_period: units::Duration::from_millis(100),
            downscale_stabilization: units::Duration::ZERO,
            ..HpaFlags::default()
        })
    }

    /// A controller that ends with what this gives. Its clock begins with the world, at [`BEGINNING`], and
    /// goes as tokio's does.
    pub(crate) fn start_with(&self, flags: HpaFlags) -> DropGuard {
        self.start_as("horizontal-pod-autoscaler", flags)
    }

    /// A client with the rights of a service account of kube-system.
    pub(crate) fn client_of(&self, account: &str) -> Client {
        self.client_that_may_be_cut(account).0
    }

    /// The same, and what puts the API out of its reach.
    pub(crate) fn client_that_may_be_cut(&self, account: &str) -> (Client, Arc<AtomicBool>) {
        let cut = Arc::<AtomicBool>::default();
        let service = Aggregated {
            server: self
                .lab
                .server
                .as_user(User::service_account("kube-system", account, "")),
            metrics: self.metrics.clone(),
            adapter: self.adapter.clone(),
            refused: self.refused.clone(),
            cut: Arc::clone(&cut),
        };
        (Client::new(service, "default"), cut)
    }

    /// A controller's configuration: its decisions are noted, and its clock begins with the world.
    pub(crate) fn config(&self, flags: HpaFlags, decisions: &Decisions) -> Config {
        let (decisions, begun) = (Arc::clone(decisions), self.begun);
        Config {
            flags,
            on_decision: Some(Arc::new(move |record: &DecisionRecord| {
                decisions.lock().unwrap().push(record.clone());
            })),
            clock: Arc::new(move || {
                let passed = i128::try_from(begun.elapsed().as_nanos()).unwrap();
                Timestamp::from_nanos(BEGINNING.nanos() + passed)
            }),
            // Tests count the seconds.
            spread: false,
            ..Config::default()
        }
    }

    /// A controller with the rights of a service account of kube-system.
    pub(crate) fn start_as(&self, account: &str, flags: HpaFlags) -> DropGuard {
        self.start_config(account, self.config(flags, &self.decisions))
    }

    pub(crate) fn start_config(&self, account: &str, config: Config) -> DropGuard {
        let client = self.client_of(account);
        let stop = self.lab.shutdown.child_token();
        tokio::spawn(run(client, config, stop.clone()));
        stop.drop_guard()
    }

    /// A Deployment of two pods that request 100m each, and an autoscaling/v1 HPA: 2..5, 50 %.
    pub(crate) async fn backend(&self) {
        self.workload().await;
        create(&self.hpas("autoscaling/v1"), autoscaler()).await;
    }

    /// The Deployment and its pods alone.
    pub(crate) async fn workload(&self) {
        create(
            &self.api("apps/v1", "Deployment", "deployments"),
            deployment(),
        )
        .await;
        for name in ["backend-app-1", "backend-app-2"] {
            self.pod(name).await;
        }
    }

    pub(crate) fn hpas(&self, api_version: &str) -> Api<DynamicObject> {
        self.api(
            api_version,
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        )
    }

    pub(crate) async fn pod(&self, name: &str) {
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

    pub(crate) fn use_cpu(&self, usage: &str) {
        self.use_cpu_each(&[("backend-app-1", usage), ("backend-app-2", usage)]);
    }

    /// The metrics API has nothing about these pods.
    pub(crate) fn use_no_cpu(&self) {
        self.use_cpu_each(&[]);
    }

    /// What each pod uses.
    pub(crate) fn use_cpu_each(&self, pods: &[(&str, &str)]) {
        let item = |(name, usage): &(&str, &str)| {
            json!({"metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "backend-app"}},
                "timestamp": "2026-01-01T12:00:00Z", "window": "15s",
                "containers": [{"name": "app", "usage": {"cpu": usage, "memory": "10Mi"}}]})
        };
        self.metrics.set(pods.iter().map(item).collect());
    }

    /// Waits until the HPA satisfies `wanted`, and gives it.
    pub(crate) async fn hpa(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.hpa_of("autoscaling/v2", wanted).await
    }

    /// The same for any version.
    pub(crate) async fn hpa_of(&self, version: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let hpas = self.hpas(version);
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

    pub(crate) async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.lab.client.clone(), NAMESPACE);
        events.list(&ListParams::default()).await.unwrap().items
    }

    pub(crate) async fn event(&self, reason: &str, message: &str) -> Event {
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
        self.lab.shutdown.cancel();
    }
}

pub(crate) async fn create(api: &Api<DynamicObject>, object: Value) {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

pub(crate) fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "backend-app", "namespace": NAMESPACE},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "backend-app"}},
            "template": {"metadata": {"labels": {"app": "backend-app"}},
                "spec": {"containers": [{"name": "app", "image": "backend-app"}]}}}})
}

pub(crate) fn autoscaler() -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app-hpa", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 50}})
}

pub(crate) fn condition<'a>(hpa: &'a Value, kind: &str) -> &'a Value {
    hpa["status"]["conditions"]
        .as_array()
        .and_then(|list| list.iter().find(|c| c["type"] == kind))
        .unwrap_or(&Value::Null)
}
