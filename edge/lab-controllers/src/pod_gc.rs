//! Pods that nobody ends: those of nodes that are gone, and those deleted before they had a node.
//!
//! Upstream: pkg/controller/podgc/gc_controller.go (v1.36).

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler, until};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::pods;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Client};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a node may be missing before its pods are given up. Upstream: quarantineTime.
const QUARANTINE: SignedDuration = SignedDuration::from_secs(40);

struct Controller {
    hub: Arc<Hub>,
    client: Client,
    pods: Writer<Pod>,
    /// Since when a node has been missing.
    missing: Mutex<BTreeMap<String, Timestamp>>,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("pod-garbage-collector");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.pods, &queue);
    let (pods, leavers) = (hub.pods.clone(), queue.clone());
    setup.on.nodes.on(move |change: &Change<'_, Node>| {
        let Some(gone) = change.old.filter(|_| change.new.is_none()) else {
            return;
        };
        let name = meta::name(&**gone);
        for pod in pods
            .all()
            .iter()
            .filter(|pod| pods::node_name(pod) == Some(name))
        {
            leavers.add(ObjectKey::of(&**pod));
        }
    });
    let controller = Controller {
        pods: Writer::new(client.clone(), hub.pods.clone()),
        missing: Mutex::default(),
        client,
        hub,
    };
    setup.controller(controller, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "pod-gc";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(pod) = self.hub.pods.get(key) else {
            return Ok(Next::Done);
        };
        let Some(node) = pods::node_name(&pod) else {
            if meta::is_deleted(&*pod) {
                self.pods.delete_now(&*pod).await?;
            }
            return Ok(Next::Done);
        };
        let there = self.hub.nodes.get(&ObjectKey::new("", node)).is_some();
        let Some(since) = self.missing_since(node, there, now) else {
            return Ok(Next::Done);
        };
        let due = since.checked_add(QUARANTINE).unwrap_or(now);
        if due > now {
            return Ok(Next::After(until(now, due)));
        }
        let api: Api<Node> = Api::all(self.client.clone());
        if api.get_opt(node).await?.is_none() {
            self.pods.delete_now(&*pod).await?;
        }
        Ok(Next::Done)
    }
}

impl Controller {
    /// Since when the node has been missing; `None` if it is there.
    fn missing_since(&self, node: &str, there: bool, now: Timestamp) -> Option<Timestamp> {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if there {
            missing.remove(node);
            return None;
        }
        Some(*missing.entry(node.to_owned()).or_insert(now))
    }
}
