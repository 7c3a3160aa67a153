//! Nodes that fall silent, nodes that are not ready, and pods that do not tolerate it.
//!
//! Upstream: pkg/controller/nodelifecycle, pkg/controller/tainteviction (v1.36).

mod eviction;
mod health;
mod taints;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta::{self, stamp};
use crate::pods;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use runtime::events::Recorder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const LEASES: &str = "kube-node-lease";

struct Controller {
    hub: Arc<Hub>,
    client: Client,
    pods: Writer<Pod>,
    events: Recorder,
    signs: Mutex<BTreeMap<String, health::Sign>>,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("node-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.nodes, &queue);
    // A first lease, or one that moves again after silence, is news; each renewal is not.
    let (nodes, renewals) = (hub.nodes.clone(), queue.clone());
    setup.on.leases.on(move |change: &Change<'_, Lease>| {
        let Some(lease) = change
            .new
            .filter(|lease| meta::namespace(&***lease) == LEASES)
        else {
            return;
        };
        let key = ObjectKey::new("", meta::name(&**lease));
        if nodes.get(&key).is_some_and(|node| !health::is_ready(&node)) {
            renewals.add(key);
        }
    });
    // A pod that comes to a tainted node may have to leave it.
    let (nodes, arrivals) = (hub.nodes.clone(), queue.clone());
    setup.on.pods.on(move |change: &Change<'_, Pod>| {
        let moved = change.old.and_then(|pod| pods::node_name(pod))
            != change.new.and_then(|pod| pods::node_name(pod));
        let node = change
            .new
            .filter(|_| moved)
            .and_then(|pod| pods::node_name(pod));
        let key = node.map(|node| ObjectKey::new("", node));
        if let Some(key) = key
            && nodes.get(&key).is_some_and(|node| eviction::evicts(&node))
        {
            arrivals.add(key);
        }
    });
    let controller = Controller {
        pods: Writer::new(client.clone(), hub.pods.clone()),
        events: setup.recorder("node-controller", client.clone()),
        signs: Mutex::default(),
        client,
        hub,
    };
    setup.controller(controller, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "node-lifecycle";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(node) = self.hub.nodes.get(key) else {
            if self.signs(|signs| signs.remove(&key.name)).is_some() {
                tracing::info!(node = key.name, "the node is gone");
            }
            return Ok(Next::Done);
        };
        let lease = self
            .hub
            .leases
            .get(&ObjectKey::new(LEASES, key.name.clone()));
        let (silent_at, first) = self.observe(&node, lease.as_deref(), now);
        if first {
            let name = &key.name;
            let text = format!("Node {name} event: Registered Node {name} in Controller");
            self.events.normal(&*node, "RegisteredNode", text);
        }
        if silent_at <= now {
            self.mark_unknown(&node, now).await?;
        }
        self.taint(key, now).await?;
        let evict_at = self.evict(key, now).await?;
        let due = evict_at
            .into_iter()
            .chain((silent_at > now).then_some(silent_at))
            .min();
        Ok(Next::at(due, now))
    }
}

impl Controller {
    fn signs<T>(&self, with: impl FnOnce(&mut BTreeMap<String, health::Sign>) -> T) -> T {
        with(&mut self.signs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the node counts as silent, unless it is heard of before; and whether it is new to us.
    fn observe(&self, node: &Node, lease: Option<&Lease>, now: Timestamp) -> (Timestamp, bool) {
        self.signs(|signs| {
            let name = meta::name(node).to_owned();
            let before = signs.get(&name);
            let first = before.is_none();
            let sign = health::Sign::observe(before, node, lease, now);
            let silent_at = sign.silent_at();
            signs.insert(name, sign);
            (silent_at, first)
        })
    }

    async fn patch_node(&self, name: &str, status: bool, patch: &Value) -> Result<(), Error> {
        let api: Api<Node> = Api::all(self.client.clone());
        let (params, patch) = (PatchParams::default(), Patch::Strategic(patch));
        let node = if status {
            api.patch_status(name, &params, &patch).await?
        } else {
            api.patch(name, &params, &patch).await?
        };
        self.hub.nodes.wrote(node);
        Ok(())
    }

    async fn mark_unknown(&self, node: &Node, now: Timestamp) -> Result<(), Error> {
        let Some(conditions) = health::unknown(node, now) else {
            return Ok(());
        };
        let name = meta::name(node);
        self.patch_node(name, true, &json!({"status": {"conditions": conditions}}))
            .await?;
        let text = format!("Node {name} status is now: NodeNotReady");
        self.events.normal(node, "NodeNotReady", text);
        for pod in self.pods_on(name).iter().filter(|pod| pods::is_ready(pod)) {
            let condition = json!({
                "type": "Ready", "status": "False", "reason": "NodeNotReady",
                "lastTransitionTime": stamp(now),
            });
            let patch = json!({"status": {"conditions": [condition]}});
            crate::engine::found(self.pods.patch_status(&ObjectKey::of(&**pod), &patch).await)?;
            self.events
                .warning(&**pod, "NodeNotReady", "Node is not ready");
        }
        Ok(())
    }

    async fn taint(&self, key: &ObjectKey, now: Timestamp) -> Result<(), Error> {
        let Some(node) = self.hub.nodes.get(key) else {
            return Ok(());
        };
        let Some(taints) = taints::changed(&node, now) else {
            return Ok(());
        };
        // The whole list, on condition that nobody else has changed it.
        let patch = json!({
            "metadata": {"resourceVersion": node.metadata.resource_version},
            "spec": {"taints": taints},
        });
        let api: Api<Node> = Api::all(self.client.clone());
        let patched = api
            .patch(&key.name, &PatchParams::default(), &Patch::Merge(&patch))
            .await?;
        self.hub.nodes.wrote(patched);
        Ok(())
    }

    fn pods_on(&self, node: &str) -> Vec<Arc<Pod>> {
        let mut pods = self.hub.pods.all();
        pods.retain(|pod| pods::node_name(pod) == Some(node));
        pods
    }

    /// Deletes the pods that tolerate the node's state no longer; says when the next is due.
    async fn evict(&self, key: &ObjectKey, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let node = self
            .hub
            .nodes
            .get(key)
            .filter(|node| eviction::evicts(node));
        let Some(node) = node else {
            return Ok(None);
        };
        let mut next: Option<Timestamp> = None;
        for pod in self
            .pods_on(&key.name)
            .iter()
            .filter(|pod| !meta::is_deleted(&***pod))
        {
            match eviction::due(&node, pod) {
                Some(at) if at <= now => {
                    let text = format!("Marking for deletion Pod {}", ObjectKey::of(&**pod));
                    self.events.normal(&**pod, "TaintManagerEviction", text);
                    self.pods.delete(&**pod).await?;
                }
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
