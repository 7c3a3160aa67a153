//! Watches nodes and running pods, and keeps the [`Cluster`] as they are.
//!
//! Upstream: pkg/server/informer.go: full nodes, and metadata only of pods with phase Running.

use super::{Cluster, Node};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;

/// Keeps `cluster` until `shutdown`.
pub(crate) async fn keep(
    client: Client,
    cluster: Arc<RwLock<Cluster>>,
    node_selector: String,
    shutdown: CancellationToken,
) {
    tokio::select! {
        () = nodes(client.clone(), Arc::clone(&cluster), node_selector) => {}
        () = pods(client, cluster) => {}
        () = shutdown.cancelled() => {}
    }
}

fn write(cluster: &RwLock<Cluster>) -> RwLockWriteGuard<'_, Cluster> {
    cluster.write().unwrap_or_else(PoisonError::into_inner)
}

async fn nodes(client: Client, cluster: Arc<RwLock<Cluster>>, selector: String) {
    let mut config = watcher::Config::default();
    if !selector.is_empty() {
        config = config.labels(&selector);
    }
    let api: Api<v1::Node> = Api::all(client);
    let mut events = watch(api, config).default_backoff().boxed();
    let mut listed = HashSet::new();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => take_node(&mut write(&cluster), event, &mut listed),
            Ok(None) => return,
            Err(error) => tracing::warn!(%error, "cannot watch nodes, trying again"),
        }
    }
}

fn take_node(cluster: &mut Cluster, event: Event<v1::Node>, listed: &mut HashSet<Box<str>>) {
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(node) => {
            if let Some(node) = Node::from_api(node) {
                listed.insert(node.name.clone());
                cluster.put_node(node);
            }
        }
        Event::InitDone => {
            cluster.nodes.retain(|name, _| listed.contains(name));
            cluster.nodes_synced = true;
            *listed = HashSet::new();
        }
        Event::Apply(node) => {
            if let Some(node) = Node::from_api(node) {
                cluster.put_node(node);
            }
        }
        Event::Delete(node) => cluster.remove_node(&node.metadata.name.unwrap_or_default()),
    }
}

type PodMeta = PartialObjectMeta<v1::Pod>;
/// Namespace and name.
type Listed = HashSet<(String, String)>;

async fn pods(client: Client, cluster: Arc<RwLock<Cluster>>) {
    let api: Api<PodMeta> = Api::all(client);
    let config = watcher::Config::default().fields("status.phase=Running");
    let mut events = watch(api, config).default_backoff().boxed();
    let mut listed = Listed::new();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => take_pod(&mut write(&cluster), event, &mut listed),
            Ok(None) => return,
            Err(error) => tracing::warn!(%error, "cannot watch pods, trying again"),
        }
    }
}

fn take_pod(cluster: &mut Cluster, event: Event<PodMeta>, listed: &mut Listed) {
    let key = |pod: &PodMeta| {
        let metadata = &pod.metadata;
        (
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        )
    };
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(pod) => {
            let key = key(&pod);
            cluster.put_pod(&key.0, &key.1, pod.metadata.labels.unwrap_or_default());
            listed.insert(key);
        }
        Event::InitDone => {
            let mut wanted = (String::new(), String::new());
            cluster.pods.retain(|namespace, pods| {
                pods.retain(|name, _| {
                    wanted.0.clear();
                    wanted.0.push_str(namespace);
                    wanted.1.clear();
                    wanted.1.push_str(name);
                    listed.contains(&wanted)
                });
                !pods.is_empty()
            });
            cluster.pods_synced = true;
            *listed = Listed::new();
        }
        Event::Apply(pod) => {
            let (namespace, name) = key(&pod);
            cluster.put_pod(&namespace, &name, pod.metadata.labels.unwrap_or_default());
        }
        Event::Delete(pod) => {
            let (namespace, name) = key(&pod);
            cluster.remove_pod(&namespace, &name);
        }
    }
}
