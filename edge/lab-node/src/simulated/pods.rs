//! Simulated nodes' pods: those they begin with, and any other that comes to them.

use super::container::Container;
use super::{CONCURRENT, CPU, Config, usage};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{self, Namespace, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Apps in a row that have the same namespace.
const APPS: u32 = 20;
/// How long a namespace's service account may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// One request to the API.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A pod that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) containers: Vec<Container>,
    pub(super) started: Timestamp,
}

/// The pods of each node.
#[derive(Debug, Default)]
pub(super) struct Registry(RwLock<HashMap<String, Pods>>);

/// By namespace and name.
type Pods = BTreeMap<(String, String), SimulatedPod>;

impl Registry {
    /// Looks at the pods of a node.
    pub(super) fn with<T>(
        &self,
        node: &str,
        look: impl FnOnce(&mut dyn Iterator<Item = &SimulatedPod>) -> T,
    ) -> T {
        let nodes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        look(&mut nodes.get(node).into_iter().flat_map(BTreeMap::values))
    }

    /// A pod that is known already goes on counting, with what it is said to use from now on.
    fn put(&self, node: &str, pod: SimulatedPod, cpu_milli: Option<u64>, now: Timestamp) {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let pods = nodes.entry(node.to_owned()).or_default();
        let key = (pod.namespace.clone(), pod.name.clone());
        let known = pods.entry(key).or_insert(pod);
        let SimulatedPod {
            namespace,
            name,
            containers,
            ..
        } = known;
        for container in containers {
            let own = usage::of(namespace, name, &container.name);
            container.use_cpu(cpu_milli.unwrap_or(own.cpu_milli), now);
        }
    }

    fn remove(&self, node: &str, key: (String, String)) {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(pods) = nodes.get_mut(node) {
            pods.remove(&key);
        }
    }
}

/// Makes the pods that nodes begin with.
pub(super) async fn create(config: &Config) -> Result<()> {
    if config.pods_per_node == 0 {
        return Ok(());
    }
    let total = u32::from(config.nodes) * u32::from(config.pods_per_node);
    let of_namespace = app_size(config) * APPS;
    stream::iter(0..total.div_ceil(of_namespace))
        .map(|number| prepare(&config.client, namespace(config, number * of_namespace)))
        .buffer_unordered(CONCURRENT)
        .try_collect::<()>()
        .await?;
    let all = (0..config.nodes)
        .flat_map(|node| (0..config.pods_per_node).map(move |number| (node, number)));
    stream::iter(all)
        .map(|(node, number)| {
            let index = u32::from(node) * u32::from(config.pods_per_node) + u32::from(number);
            let api: Api<Pod> = Api::namespaced(config.client.clone(), &namespace(config, index));
            let pod = object(config, node, index);
            async move {
                let pod: Pod = serde_json::from_value(pod).context("our own pod object")?;
                match api.create(&PostParams::default(), &pod).await {
                    Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                    made => made.map(drop).context("cannot make a simulated pod"),
                }
            }
        })
        .buffer_unordered(CONCURRENT)
        .try_collect::<()>()
        .await
}

fn app_size(config: &Config) -> u32 {
    u32::from(config.pods_per_app).max(1)
}

/// Where the pod of this index is.
fn namespace(config: &Config, index: u32) -> String {
    format!("simulated-{}", index / (app_size(config) * APPS) + 1)
}

/// Makes a namespace; pods are welcome in it when its service account is there.
async fn prepare(client: &Client, name: String) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    match namespaces.create(&PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        made => drop(made.context("cannot make the namespace of simulated pods")?),
    }
    let path = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
    let account = async {
        loop {
            let request = http::Request::get(&path).body(Vec::new())?;
            if client.request::<Value>(request).await.is_ok() {
                return Ok::<_, anyhow::Error>(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, account)
        .await
        .context("the service account of simulated pods never came")?
}

fn object(config: &Config, node: u16, index: u32) -> Value {
    let node_name = Config::name(node);
    let container = |number: u16| {
        json!({
            "name": format!("c{number}"), "image": "simulated",
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        })
    };
    let size = app_size(config);
    let (app, pod) = (format!("app-{}", index / size + 1), index % size + 1);
    let containers: Vec<Value> = (0..config.containers_per_pod).map(container).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{app}-{pod}"),
            "namespace": namespace(config, index),
            "labels": {"app": app},
        },
        "spec": {
            "nodeName": node_name, "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false, "containers": containers,
        },
    })
}

/// Lets every pod that comes to a simulated node run, and every one that is deleted go.
pub(super) async fn keep(client: Client, registry: Arc<Registry>, shutdown: CancellationToken) {
    let api: Api<Pod> = Api::all(client.clone());
    let events = watcher(api, watcher::Config::default())
        .default_backoff()
        .take_until(shutdown.cancelled_owned());
    let mut events = std::pin::pin!(events);
    let slots = Arc::new(Semaphore::new(CONCURRENT));
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => {
                let Some(change) = heard(&registry, &pod) else {
                    continue;
                };
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                    return;
                };
                let client = client.clone();
                tokio::spawn(async move {
                    let done = tokio::time::timeout(TIMEOUT, write(client, &pod, change)).await;
                    if let Ok(Err(error)) = done {
                        tracing::debug!(%error, "cannot write a simulated pod");
                    }
                    drop(slot);
                });
            }
            Ok(watcher::Event::Delete(pod)) => {
                if let Some(node) = node_of(&pod) {
                    registry.remove(node, key(&pod));
                }
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "cannot watch simulated pods; trying again"),
        }
    }
}

/// What a pod's kubelet would do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Run(Timestamp),
    End,
}

fn heard(registry: &Registry, pod: &Pod) -> Option<Change> {
    let node = node_of(pod)?;
    if pod.metadata.deletion_timestamp.is_some() {
        registry.remove(node, key(pod));
        return Some(Change::End);
    }
    let status = pod.status.as_ref();
    let phase = status.and_then(|s| s.phase.as_deref()).unwrap_or("Pending");
    let started = status.and_then(|s| s.start_time.as_ref()).map(|t| t.0);
    let begins = started.unwrap_or_else(runtime::clock::now);
    if !matches!(phase, "Pending" | "Running") {
        return None;
    }
    let (namespace, name) = key(pod);
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let container = |container: &v1::Container| {
        let uses = usage::of(&namespace, &name, &container.name);
        Container::new(&container.name, uses, begins)
    };
    let simulated = SimulatedPod {
        containers: containers.map(container).collect(),
        namespace,
        name,
        started: begins,
    };
    registry.put(node, simulated, cpu(pod), runtime::clock::now());
    (phase == "Pending").then_some(Change::Run(begins))
}

async fn write(client: Client, pod: &Pod, change: Change) -> kube::Result<()> {
    let (namespace, name) = key(pod);
    let api: Api<Pod> = Api::namespaced(client, &namespace);
    let done = match change {
        Change::End => {
            let now = DeleteParams::default().grace_period(0);
            api.delete(&name, &now).await.map(drop)
        }
        Change::Run(started) => {
            let status = Patch::Merge(json!({"status": status(pod, started)}));
            let params = PatchParams::default();
            api.patch_status(&name, &params, &status).await.map(drop)
        }
    };
    match done {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        done => done,
    }
}

fn status(pod: &Pod, started: Timestamp) -> Value {
    let at = format!("{started:.0}");
    let condition = |kind: &&str| json!({"type": kind, "status": "True", "lastTransitionTime": at});
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .map(condition)
        .collect();
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let statuses: Vec<Value> = containers
        .map(|container| {
            json!({
                "name": container.name, "image": container.image, "imageID": "", "ready": true,
                "started": true, "restartCount": 0, "state": {"running": {"startedAt": at}},
            })
        })
        .collect();
    json!({"phase": "Running", "startTime": at, "conditions": conditions, "containerStatuses": statuses})
}

/// What each container uses, in thousandths of a core, where the pod says so.
fn cpu(pod: &Pod) -> Option<u64> {
    let text = pod.metadata.annotations.as_ref()?.get(CPU)?;
    let quantity: units::Quantity = text.parse().ok()?;
    u64::try_from(quantity.milli_value()).ok()
}

/// The simulated node that a pod is on, if it is on one.
fn node_of(pod: &Pod) -> Option<&str> {
    let node = pod.spec.as_ref()?.node_name.as_deref()?;
    node.starts_with("simulated-").then_some(node)
}

fn key(pod: &Pod) -> (String, String) {
    let own = |text: &Option<String>| text.clone().unwrap_or_default();
    (own(&pod.metadata.namespace), own(&pod.metadata.name))
}
