//! StatefulSets: pods with names that stay, one after the other.
//!
//! Upstream: pkg/controller/statefulset/stateful_set_control.go (v1.36). Differs from upstream: the
//! lab has no volumes that outlive a pod, so each claim template becomes an emptyDir of its name.

mod identity;
mod plan;
mod status;

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use crate::revisions;
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use plan::{Revisions, Step};
use runtime::events::Recorder;
use std::sync::Arc;

const HASH_LABEL: &str = "controller.kubernetes.io/hash";

struct Controller {
    hub: Arc<Hub>,
    sets: Writer<StatefulSet>,
    pods: Writer<Pod>,
    revisions: Writer<ControllerRevision>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("statefulset-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.stateful_sets, &queue);
    hub::queue_owner(&mut setup.on.pods, &queue, "StatefulSet");
    let controller = Controller {
        sets: Writer::new(client.clone(), hub.stateful_sets.clone()),
        pods: Writer::new(client.clone(), hub.pods.clone()),
        revisions: Writer::new(client.clone(), hub.controller_revisions.clone()),
        events: setup.recorder("statefulset-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "statefulset";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(set) = self.hub.stateful_sets.get(key) else {
            return Ok(Next::Done);
        };
        if meta::is_deleted(&*set) {
            return Ok(Next::Done);
        }
        let revisions = self.revise(&set).await?;
        let pods = self.owned(&set);
        let steps = plan::steps(&set, &revisions, &pods, now);
        let failure = self.carry_out(&set, steps).await.err();
        let pods = self.owned(&set);
        let status = status::of(&set, &revisions, &pods, now);
        self.clean_up(&set, &pods, &status).await?;
        self.write_status(&set, status).await?;
        match failure {
            Some(error) => Err(error),
            None => Ok(Next::at(status::next_availability(&set, &pods, now), now)),
        }
    }
}

impl Controller {
    fn owned(&self, set: &StatefulSet) -> Vec<Arc<Pod>> {
        self.hub
            .pods
            .controlled_by(meta::namespace(set), meta::uid(set))
    }

    fn history(&self, set: &StatefulSet) -> Vec<Arc<ControllerRevision>> {
        self.hub
            .controller_revisions
            .controlled_by(meta::namespace(set), meta::uid(set))
    }

    /// The revisions that pods are made from: that of the template, and the last that was complete.
    async fn revise(&self, set: &StatefulSet) -> Result<Revisions, Error> {
        let Some(spec) = &set.spec else {
            return Err(Error::Invalid("the StatefulSet has no spec".into()));
        };
        let held = self.history(set);
        let plan = revisions::plan(set, &spec.template, &held, HASH_LABEL);
        let update = revisions::write(&self.revisions, plan).await?;
        let status = set.status.as_ref();
        let current = status.and_then(|status| status.current_revision.as_deref());
        let current = held
            .iter()
            .find(|held| current == Some(meta::name(&***held)));
        let current = current.cloned().unwrap_or_else(|| update.clone());
        Ok(Revisions { current, update })
    }

    async fn carry_out(&self, set: &StatefulSet, steps: Vec<Step>) -> Result<(), Error> {
        let each = steps.into_iter().map(|step| async move {
            match step {
                Step::Create(pod) => self.create(set, &pod).await,
                Step::Delete(pod) => self.delete(set, &pod).await,
            }
        });
        join_all(each).await.into_iter().collect()
    }

    async fn create(&self, set: &StatefulSet, pod: &Pod) -> Result<(), Error> {
        let (name, of) = (meta::name(pod), meta::name(set));
        match self.pods.create(pod).await {
            Ok(_) => {
                let text = format!("create Pod {name} in StatefulSet {of} successful");
                self.events.normal(set, "SuccessfulCreate", text);
                Ok(())
            }
            Err(error) if is_namespace_going(&error) => Ok(()),
            Err(error) => {
                let why = error.text();
                let text = format!("create Pod {name} in StatefulSet {of} failed error: {why}");
                self.events.warning(set, "FailedCreate", text);
                Err(error)
            }
        }
    }

    async fn delete(&self, set: &StatefulSet, pod: &Arc<Pod>) -> Result<(), Error> {
        self.pods.delete(&**pod).await?;
        let (name, of) = (meta::name(&**pod), meta::name(set));
        let text = format!("delete Pod {name} in StatefulSet {of} successful");
        self.events.normal(set, "SuccessfulDelete", text);
        Ok(())
    }

    async fn clean_up(
        &self,
        set: &StatefulSet,
        pods: &[Arc<Pod>],
        status: &StatefulSetStatus,
    ) -> Result<(), Error> {
        let limit = set
            .spec
            .as_ref()
            .and_then(|spec| spec.revision_history_limit);
        let in_use = |revision: &ControllerRevision| {
            let name = meta::name(revision);
            status.current_revision.as_deref() == Some(name)
                || status.update_revision.as_deref() == Some(name)
                || pods.iter().any(|pod| identity::revision(pod) == Some(name))
        };
        for revision in revisions::outdated(&self.history(set), in_use, limit) {
            self.revisions.delete(&*revision).await?;
        }
        Ok(())
    }

    async fn write_status(
        &self,
        set: &StatefulSet,
        status: StatefulSetStatus,
    ) -> Result<(), Error> {
        if set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = StatefulSet {
            status: Some(status),
            ..set.clone()
        };
        self.sets.update_status(&changed).await?;
        Ok(())
    }
}
