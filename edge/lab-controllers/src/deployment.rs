//! Deployments: which ReplicaSets there are, and how large each is.
//!
//! Upstream: pkg/controller/deployment/deployment_controller.go (v1.36).

mod history;
pub(crate) mod plan;
mod recreate;
mod rolling;
mod scale;
mod status;
pub(crate) mod template;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::{adoption, is_namespace_going, plan::claims_of, release};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use plan::{Effect, View};
use runtime::events::Recorder;
use std::sync::Arc;

pub(crate) struct Controller {
    hub: Arc<Hub>,
    deployments: Writer<Deployment>,
    replica_sets: Writer<ReplicaSet>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("deployment-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.deployments, &queue);
    hub::queue_owner(&mut setup.on.replica_sets, &queue, "Deployment");
    queue_for_orphans(setup, &queue);
    queue_for_gone_pods(setup, &queue);
    let controller = Controller {
        deployments: Writer::new(client.clone(), hub.deployments.clone()),
        replica_sets: Writer::new(client.clone(), hub.replica_sets.clone()),
        events: setup.recorder("deployment-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
}

/// A ReplicaSet that nothing controls may be one that a Deployment adopts.
fn queue_for_orphans(setup: &mut Setup<'_>, queue: &Arc<Queue>) {
    let (hub, queue) = (setup.hub.clone(), queue.clone());
    setup
        .on
        .replica_sets
        .on(move |change: &Change<'_, ReplicaSet>| {
            let Some(set) = change
                .new
                .filter(|set| meta::controller_of(&***set).is_none())
            else {
                return;
            };
            for deployment in hub.deployments.in_namespace(meta::namespace(&**set)) {
                let spec = deployment.spec.as_ref();
                let selector = spec.and_then(|spec| meta::selector(&spec.selector).ok());
                if selector.is_some_and(|selector| meta::matches(&selector, &**set)) {
                    queue.add(ObjectKey::of(&*deployment));
                }
            }
        });
}

/// A Deployment that recreates waits for the last old pod to end.
fn queue_for_gone_pods(setup: &mut Setup<'_>, queue: &Arc<Queue>) {
    let (hub, queue) = (setup.hub.clone(), queue.clone());
    setup.on.pods.on(move |change: &Change<'_, Pod>| {
        if change.new.is_some_and(|pod| !crate::pods::is_finished(pod)) {
            return;
        }
        let set = change
            .any()
            .and_then(|pod| hub::owner_key(&**pod, "ReplicaSet"));
        let set = set.and_then(|key| hub.replica_sets.get(&key));
        if let Some(key) = set.and_then(|set| hub::owner_key(&*set, "Deployment")) {
            queue.add(key);
        }
    });
}

impl Reconciler for Controller {
    const NAME: &'static str = "deployment";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(deployment) = self.hub.deployments.get(key) else {
            return Ok(Next::Done);
        };
        self.claim(&deployment).await?;
        let view = self.view(&deployment);
        let plan = plan::plan(&view, now);
        for effect in plan.effects {
            match effect {
                Effect::Create(set) => self.create(&deployment, &set, now).await?,
                Effect::Update { set, event } => self.update(&deployment, &set, event).await?,
                Effect::Delete(set) => self.replica_sets.delete(&*set).await?,
                Effect::Annotate(changed) => {
                    // The rest of the plan is for the object as it was: the answer brings us back.
                    self.deployments.update(&changed).await?;
                    return Ok(Next::Done);
                }
            }
        }
        self.write_status(&deployment, plan.status).await?;
        Ok(Next::at(plan.look_again, now))
    }
}

impl Controller {
    async fn claim(&self, deployment: &Deployment) -> Result<(), Error> {
        let Some(spec) = &deployment.spec else {
            return Err(Error::Invalid("the Deployment has no spec".into()));
        };
        let sets = &self.hub.replica_sets;
        let namespace = meta::namespace(deployment);
        let owned = sets.controlled_by(namespace, meta::uid(deployment));
        let orphans = sets.controlled_by(namespace, "");
        let selector = meta::selector(&spec.selector)?;
        let claims = claims_of(deployment, &selector, &owned, &orphans);
        for set in &claims.adopt {
            let patch = adoption(deployment, &**set);
            self.replica_sets
                .patch(&ObjectKey::of(&**set), &patch)
                .await?;
        }
        for set in &claims.release {
            let patch = release(deployment, &**set);
            self.replica_sets
                .patch(&ObjectKey::of(&**set), &patch)
                .await?;
        }
        Ok(())
    }

    fn view(&self, deployment: &Arc<Deployment>) -> View {
        let namespace = meta::namespace(&**deployment);
        let sets = self
            .hub
            .replica_sets
            .controlled_by(namespace, meta::uid(&**deployment));
        let pods =
            |set: &Arc<ReplicaSet>| self.hub.pods.controlled_by(namespace, meta::uid(&**set));
        View {
            deployment: deployment.clone(),
            sets: sets.into_iter().map(|set| (pods(&set), set)).collect(),
        }
    }

    async fn create(
        &self,
        deployment: &Deployment,
        set: &ReplicaSet,
        now: Timestamp,
    ) -> Result<(), Error> {
        match self.replica_sets.create(set).await {
            Ok(made) => {
                let replicas = template::replicas(&made);
                if replicas > 0 {
                    let text = format!(
                        "Scaled up replica set {} from 0 to {replicas}",
                        meta::name(&*made)
                    );
                    self.events.normal(deployment, "ScalingReplicaSet", text);
                }
                let told = status::created(deployment, meta::name(&*made), now);
                self.write_status(deployment, told).await
            }
            Err(error) if is_namespace_going(&error) => Ok(()),
            Err(error) if error.code() == Some(409) => self.collide(deployment, set, error).await,
            Err(error) => {
                let text = format!(
                    "Failed to create new replica set {:?}: {}",
                    meta::name(set),
                    error.text()
                );
                self.events
                    .warning(deployment, "ReplicaSetCreateError", text.clone());
                let told = status::create_failed(deployment, text, now);
                self.write_status(deployment, told).await?;
                Err(error)
            }
        }
    }

    /// Another set has the name: unless it is our own, count a collision, which changes the hash.
    async fn collide(
        &self,
        deployment: &Deployment,
        set: &ReplicaSet,
        error: Error,
    ) -> Result<(), Error> {
        let Some(there) = self.replica_sets.get(&ObjectKey::of(set)).await? else {
            return Err(error);
        };
        if meta::is_controlled_by(&there, deployment) && template::is_of(&there, deployment) {
            return Err(Error::NotYet(
                "the new ReplicaSet is not in the cache yet".into(),
            ));
        }
        let mut status = deployment.status.clone().unwrap_or_default();
        status.collision_count = Some(status.collision_count.unwrap_or(0).saturating_add(1));
        self.write_status(deployment, status).await?;
        Err(error)
    }

    async fn update(
        &self,
        deployment: &Deployment,
        set: &ReplicaSet,
        event: Option<String>,
    ) -> Result<(), Error> {
        self.replica_sets.update(set).await?;
        if let Some(text) = event {
            self.events.normal(deployment, "ScalingReplicaSet", text);
        }
        Ok(())
    }

    async fn write_status(
        &self,
        deployment: &Deployment,
        status: DeploymentStatus,
    ) -> Result<(), Error> {
        if deployment.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = Deployment {
            status: Some(status),
            ..deployment.clone()
        };
        self.deployments.update_status(&changed).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
