//! ReplicaSets: as many pods as asked for.
//!
//! Upstream: pkg/controller/replicaset/replica_set.go (v1.36).

pub(crate) mod plan;
mod rank;
mod status;

pub(crate) use status::nonzero;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::pods;
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use plan::Count;
use runtime::events::Recorder;
use serde_json::{Value, json};
use std::sync::Arc;

/// The most pods that one pass makes or deletes. Upstream: BurstReplicas.
const BURST: usize = 500;

pub(crate) struct Controller {
    hub: Arc<Hub>,
    replica_sets: Writer<ReplicaSet>,
    pods: Writer<Pod>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("replicaset-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.replica_sets, &queue);
    hub::queue_owner(&mut setup.on.pods, &queue, "ReplicaSet");
    queue_for_orphans(setup, &queue);
    let controller = Controller {
        replica_sets: Writer::new(client.clone(), hub.replica_sets.clone()),
        pods: Writer::new(client.clone(), hub.pods.clone()),
        events: setup.recorder("replicaset-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
}

/// A pod that nothing controls may be one that a ReplicaSet adopts.
fn queue_for_orphans(setup: &mut Setup<'_>, queue: &Arc<Queue>) {
    let (hub, queue) = (setup.hub.clone(), queue.clone());
    setup.on.pods.on(move |change: &Change<'_, Pod>| {
        let Some(pod) = change
            .new
            .filter(|pod| meta::controller_of(&***pod).is_none())
        else {
            return;
        };
        for set in hub.replica_sets.in_namespace(meta::namespace(&**pod)) {
            if meta::selector(&set.spec_selector()).is_ok_and(|s| meta::matches(&s, &**pod)) {
                queue.add(ObjectKey::of(&*set));
            }
        }
    });
}

/// The selector of a set, whose spec is optional in the types only.
trait SpecSelector {
    fn spec_selector(&self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
}

impl SpecSelector for ReplicaSet {
    fn spec_selector(&self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector {
        self.spec
            .as_ref()
            .map(|spec| spec.selector.clone())
            .unwrap_or_default()
    }
}

impl Reconciler for Controller {
    const NAME: &'static str = "replicaset";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(set) = self.hub.replica_sets.get(key) else {
            return Ok(Next::Done);
        };
        self.claim(&set).await?;
        let mut failure = None;
        if !meta::is_deleted(&*set) {
            failure = self.resize(&set, now).await.err();
        }
        // What was just written is in the cache already.
        let owned = self.owned(&set);
        let status = status::of(&set, &owned, failure.as_ref().map(Error::text), now);
        self.write_status(&set, status).await?;
        match failure {
            Some(error) => Err(error),
            None => Ok(Next::at(status::next_availability(&set, &owned, now), now)),
        }
    }
}

impl Controller {
    fn owned(&self, set: &ReplicaSet) -> Vec<Arc<Pod>> {
        self.hub
            .pods
            .controlled_by(meta::namespace(set), meta::uid(set))
    }

    /// Adopts what matches and releases what no longer does.
    async fn claim(&self, set: &ReplicaSet) -> Result<(), Error> {
        let orphans = self.hub.pods.controlled_by(meta::namespace(set), "");
        let claims = plan::claims(set, &self.owned(set), &orphans)?;
        for pod in &claims.adopt {
            self.pods
                .patch(&ObjectKey::of(&**pod), &adoption(set, &**pod))
                .await?;
        }
        for pod in &claims.release {
            self.pods
                .patch(&ObjectKey::of(&**pod), &release(set, &**pod))
                .await?;
        }
        Ok(())
    }

    async fn resize(&self, set: &ReplicaSet, now: Timestamp) -> Result<(), Error> {
        let active: Vec<_> = self
            .owned(set)
            .into_iter()
            .filter(|pod| pods::is_active(pod))
            .collect();
        match plan::count(set, active.len()) {
            Count::Right => Ok(()),
            Count::Create(number) => self.create(set, number.min(BURST)).await,
            Count::Delete(number) => {
                let related = self.related(set);
                let doomed = rank::first_to_go(active, &related, number.min(BURST), now);
                self.delete(set, &doomed).await
            }
        }
    }

    /// Makes pods in batches of 1, 2, 4, …: if the first fails, the rest is not tried.
    async fn create(&self, set: &ReplicaSet, mut number: usize) -> Result<(), Error> {
        let Some(template) = set.spec.as_ref().and_then(|spec| spec.template.as_ref()) else {
            return Err(Error::Invalid("the ReplicaSet has no pod template".into()));
        };
        let pod = pods::from_template(template, set);
        let mut batch = 1;
        while number > 0 {
            let size = batch.min(number);
            let made = join_all((0..size).map(|_| self.create_one(set, &pod))).await;
            made.into_iter().collect::<Result<(), Error>>()?;
            number -= size;
            batch *= 2;
        }
        Ok(())
    }

    async fn create_one(&self, set: &ReplicaSet, pod: &Pod) -> Result<(), Error> {
        match self.pods.create(pod).await {
            Ok(made) => {
                let text = format!("Created pod: {}", meta::name(&*made));
                self.events.normal(set, "SuccessfulCreate", text);
                Ok(())
            }
            Err(error) if is_namespace_going(&error) => Ok(()),
            Err(error) => {
                let text = format!("Error creating: {}", error.text());
                self.events.warning(set, "FailedCreate", text);
                Err(error)
            }
        }
    }

    async fn delete(&self, set: &ReplicaSet, doomed: &[Arc<Pod>]) -> Result<(), Error> {
        let deletions = doomed.iter().map(|pod| async move {
            match self.pods.delete(&**pod).await {
                Ok(()) => {
                    let text = format!("Deleted pod: {}", meta::name(&**pod));
                    self.events.normal(set, "SuccessfulDelete", text);
                    Ok(())
                }
                Err(error) => {
                    let text = format!("Error deleting: {}", error.text());
                    self.events.warning(set, "FailedDelete", text);
                    Err(error)
                }
            }
        });
        join_all(deletions).await.into_iter().collect()
    }

    /// The active pods of all sets with the same owner: they share nodes with ours.
    fn related(&self, set: &ReplicaSet) -> Vec<Arc<Pod>> {
        let namespace = meta::namespace(set);
        let Some(owner) = meta::controller_of(set) else {
            return self.owned(set);
        };
        let siblings = self.hub.replica_sets.controlled_by(namespace, &owner.uid);
        let pods = siblings.iter().flat_map(|sibling| self.owned(sibling));
        pods.filter(|pod| pods::is_active(pod)).collect()
    }

    async fn write_status(&self, set: &ReplicaSet, status: status::Status) -> Result<(), Error> {
        if set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = ReplicaSet {
            status: Some(status),
            ..set.clone()
        };
        self.replica_sets.update_status(&changed).await?;
        Ok(())
    }
}

/// Nothing can be made in a namespace that is being deleted, and nothing should.
pub(crate) fn is_namespace_going(error: &Error) -> bool {
    let Error::Api(kube::Error::Api(status)) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
}

/// The patch that makes `owner` the controller of `object`.
pub(crate) fn adoption<O, K>(owner: &O, object: &K) -> Value
where
    O: kube::Resource<DynamicType = ()>,
    K: kube::Resource,
{
    json!({"metadata": {
        "ownerReferences": [meta::controller_reference(owner)],
        "uid": meta::uid(object),
    }})
}

/// The patch that takes `owner` out of the object's owners.
pub(crate) fn release<O: kube::Resource, K: kube::Resource>(owner: &O, object: &K) -> Value {
    json!({"metadata": {
        "ownerReferences": [{"$patch": "delete", "uid": meta::uid(owner)}],
        "uid": meta::uid(object),
    }})
}

#[cfg(test)]
mod tests;
