//! The scheduler: pods that wait for a node get one, one after the other.
//!
//! Upstream: pkg/scheduler/schedule_one.go (v1.36). Which node is `node_plan`'s to say.

mod accounts;
pub(crate) mod convert;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{Hub, Setup};
use crate::meta::{self, stamp};
use crate::pods;
use accounts::Accounts;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::PostParams;
use kube::{Api, Client};
use node_plan::Choice;
use runtime::events::Recorder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

const NAME: &str = "default-scheduler";

struct Controller {
    hub: Arc<Hub>,
    client: Client,
    pods: Writer<Pod>,
    events: Recorder,
    desk: Arc<Desk>,
}

/// What the watches tell and the scheduler asks.
#[derive(Default)]
struct Desk {
    accounts: Mutex<Accounts>,
    /// Pods that fitted nowhere, and wait for a change.
    waiting: Mutex<BTreeSet<ObjectKey>>,
}

impl Desk {
    fn accounts<T>(&self, with: impl FnOnce(&mut Accounts) -> T) -> T {
        with(&mut self.accounts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn waiting<T>(&self, with: impl FnOnce(&mut BTreeSet<ObjectKey>) -> T) -> T {
        with(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets every waiting pod try again.
    fn retry(&self, queue: &Queue) {
        for key in self.waiting(std::mem::take) {
            queue.add(key);
        }
    }
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.user("system:kube-scheduler");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    let desk = Arc::new(Desk::default());
    listen_to_pods(setup, &queue, &desk);
    listen_to_nodes(setup, &queue, &desk);
    let controller = Controller {
        pods: Writer::new(client.clone(), hub.pods.clone()),
        events: setup.recorder(NAME, client.clone()),
        client,
        hub,
        desk,
    };
    setup.controller(controller, &queue);
}

fn listen_to_pods(setup: &mut Setup<'_>, queue: &Arc<Queue>, desk: &Arc<Desk>) {
    let (queue, desk) = (queue.clone(), desk.clone());
    setup.on.pods.on(move |change: &Change<'_, Pod>| {
        let Some(pod) = change.any() else {
            return;
        };
        let running = change.new.filter(|pod| !pods::is_finished(pod));
        match running.and_then(|pod| pods::node_name(pod)) {
            Some(node) => desk.accounts(|accounts| accounts.place(pod, node)),
            None => {
                if desk.accounts(|accounts| accounts.remove(meta::uid(&**pod))) {
                    desk.retry(&queue);
                }
            }
        }
        if change.new.is_some_and(|pod| is_ours(pod)) {
            queue.add(ObjectKey::of(&**pod));
        } else {
            desk.waiting(|waiting| waiting.remove(&ObjectKey::of(&**pod)));
        }
    });
}

fn listen_to_nodes(setup: &mut Setup<'_>, queue: &Arc<Queue>, desk: &Arc<Desk>) {
    let (queue, desk) = (queue.clone(), desk.clone());
    setup.on.nodes.on(move |change: &Change<'_, Node>| {
        let face = |node: &&Arc<Node>| {
            let allocatable = node
                .status
                .as_ref()
                .and_then(|status| status.allocatable.clone());
            (node.spec.clone(), node.metadata.labels.clone(), allocatable)
        };
        // A heartbeat changes nothing for pods that wait.
        if change.old.as_ref().map(face) != change.new.as_ref().map(face) {
            desk.retry(&queue);
        }
    });
}

/// Whether the pod waits for this scheduler.
fn is_ours(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else {
        return false;
    };
    pods::node_name(pod).is_none()
        && pods::is_active(pod)
        && spec
            .scheduler_name
            .as_deref()
            .is_none_or(|name| name == NAME)
        && spec.scheduling_gates.as_ref().is_none_or(Vec::is_empty)
}

impl Reconciler for Controller {
    const NAME: &'static str = "scheduler";
    /// One at a time: each placement counts for the next.
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(pod) = self.hub.pods.get(key).filter(|pod| is_ours(pod)) else {
            return Ok(Next::Done);
        };
        if self
            .desk
            .accounts(|accounts| accounts.is_placed(meta::uid(&*pod)))
        {
            // Bound already; the watch is about to say so.
            return Ok(Next::Done);
        }
        // Before the decision, so that a change after it is not missed.
        self.desk.waiting(|waiting| waiting.insert(key.clone()));
        match self.choose(&pod) {
            Choice::Node(node) => self.bind(key, &pod, &node).await?,
            Choice::Nowhere(why) => self.refuse(key, &pod, &why, now).await?,
        }
        Ok(Next::Done)
    }
}

impl Controller {
    fn choose(&self, pod: &Pod) -> Choice {
        let nodes: Vec<node_plan::Node> = self.desk.accounts(|accounts| {
            let owner = meta::controller_of(pod).map(|owner| owner.uid.as_str());
            let nodes = self.hub.nodes.all();
            nodes
                .iter()
                .map(|node| accounts.fill(convert::node(node), owner))
                .collect()
        });
        node_plan::choose(&convert::pod(pod), &nodes)
    }

    async fn bind(&self, key: &ObjectKey, pod: &Arc<Pod>, node: &str) -> Result<(), Error> {
        self.desk.accounts(|accounts| accounts.place(pod, node));
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": meta::uid(&**pod)},
            "target": {"kind": "Node", "name": node},
        });
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let params = PostParams::default();
        let bound: Result<Value, kube::Error> = api
            .create_subresource("binding", &key.name, &params, &binding)
            .await;
        if let Err(error) = bound {
            self.desk
                .accounts(|accounts| accounts.remove(meta::uid(&**pod)));
            return Err(error.into());
        }
        self.desk.waiting(|waiting| waiting.remove(key));
        self.events.normal(
            &**pod,
            "Scheduled",
            format!("Successfully assigned {key} to {node}"),
        );
        Ok(())
    }

    async fn refuse(
        &self,
        key: &ObjectKey,
        pod: &Pod,
        why: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let told = pods::condition(pod, "PodScheduled").and_then(|c| c.message.as_deref());
        if told == Some(why) {
            return Ok(());
        }
        self.events.warning(pod, "FailedScheduling", why);
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why,
            "lastTransitionTime": stamp(now),
        });
        self.pods
            .patch_status(key, &json!({"status": {"conditions": [condition]}}))
            .await
    }
}

#[cfg(test)]
mod tests;
