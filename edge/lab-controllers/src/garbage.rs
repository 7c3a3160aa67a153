//! The garbage collector: what nobody owns any more goes; deletions in foreground, in background
//! and with orphans.
//!
//! Upstream: pkg/controller/garbagecollector (v1.36). Differs from upstream: kinds that a
//! controller watches anyway come from its cache instead of a watch of their own.

mod collect;
mod graph;
mod watches;

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::hub::Setup;
use collect::Controller;
use graph::{Graph, Item};
use kube::core::ObjectMeta;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use watches::Overseer;

/// The graph, shared by the watches that feed it and the workers that ask it.
#[derive(Default)]
struct Shared {
    graph: Mutex<Graph>,
    queue: Arc<Queue>,
}

impl Shared {
    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, uids: impl IntoIterator<Item = String>) {
        for uid in uids {
            self.queue.add(ObjectKey::new("", uid));
        }
    }

    /// An object is there, as `meta` says.
    fn apply(&self, group: &str, kind: &str, meta: &ObjectMeta) {
        if let Some(item) = Item::new(group, kind, meta) {
            let work = self.graph().apply(item);
            self.queue(work);
        }
    }

    /// An object has gone.
    fn remove(&self, uid: &str) {
        let work = self.graph().remove(uid);
        self.queue(work);
    }
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("generic-garbage-collector");
    let shared = Arc::new(Shared::default());
    let feed = shared.clone();
    let watched = setup
        .on
        .every_kind(move |group, kind, old, new| match (old, new) {
            (_, Some(meta)) => feed.apply(group, kind, meta),
            (Some(meta), None) => feed.remove(meta.uid.as_deref().unwrap_or_default()),
            (None, None) => {}
        });
    let overseer = Arc::new(Overseer::new(client.clone(), shared.clone(), watched));
    let queue = shared.queue.clone();
    setup.controller(Controller::new(client, shared, overseer.clone()), &queue);
    setup.task(async move { overseer.run().await });
}

#[cfg(test)]
mod tests;
