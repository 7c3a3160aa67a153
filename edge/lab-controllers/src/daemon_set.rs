//! DaemonSets: one pod on every node that they fit.
//!
//! Upstream: pkg/controller/daemon (v1.36). Not here: maxSurge.

mod place;
mod plan;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use crate::revisions::{self, LABEL};
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetStatus};
use k8s_openapi::api::core::v1::{Node, Pod};
use plan::{Step, View};
use runtime::events::Recorder;
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    sets: Writer<DaemonSet>,
    pods: Writer<Pod>,
    revisions: Writer<ControllerRevision>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("daemon-set-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.daemon_sets, &queue);
    hub::queue_owner(&mut setup.on.pods, &queue, "DaemonSet");
    let (sets, all) = (hub.daemon_sets.clone(), queue.clone());
    setup.on.nodes.on(move |change: &Change<'_, Node>| {
        let face = |node: &&Arc<Node>| (node.spec.clone(), node.metadata.labels.clone());
        if change.old.as_ref().map(face) != change.new.as_ref().map(face) {
            for set in sets.all() {
                all.add(ObjectKey::of(&*set));
            }
        }
    });
    let controller = Controller {
        sets: Writer::new(client.clone(), hub.daemon_sets.clone()),
        pods: Writer::new(client.clone(), hub.pods.clone()),
        revisions: Writer::new(client.clone(), hub.controller_revisions.clone()),
        events: setup.recorder("daemonset-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "daemonset";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let set = self
            .hub
            .daemon_sets
            .get(key)
            .filter(|set| !meta::is_deleted(&**set));
        let Some(set) = set else {
            return Ok(Next::Done);
        };
        let hash = self.revise(&set).await?;
        let view = self.view(&set, &hash);
        let failure = self.carry_out(&set, plan::steps(&view, now)).await.err();
        let view = self.view(&set, &hash);
        self.write_status(&set, plan::status(&view, now)).await?;
        match failure {
            Some(error) => Err(error),
            None => Ok(Next::at(plan::next_availability(&view, now), now)),
        }
    }
}

impl Controller {
    fn view<'a>(&self, set: &'a DaemonSet, hash: &'a str) -> View<'a> {
        let pods = self
            .hub
            .pods
            .controlled_by(meta::namespace(set), meta::uid(set));
        View {
            set,
            hash,
            nodes: self.hub.nodes.all(),
            pods,
        }
    }

    /// Keeps the history; returns the hash of the template's revision.
    async fn revise(&self, set: &DaemonSet) -> Result<String, Error> {
        let Some(spec) = &set.spec else {
            return Err(Error::Invalid("the DaemonSet has no spec".into()));
        };
        let (namespace, uid) = (meta::namespace(set), meta::uid(set));
        let held = self.hub.controller_revisions.controlled_by(namespace, uid);
        let plan = revisions::plan(set, &spec.template, &held, LABEL);
        let latest = revisions::write(&self.revisions, plan).await?;
        let hash_of = |revision: &ControllerRevision| {
            revision
                .metadata
                .labels
                .as_ref()
                .and_then(|labels| labels.get(LABEL).cloned())
        };
        let pods = self.hub.pods.controlled_by(namespace, uid);
        let in_use = |revision: &ControllerRevision| {
            let hash = hash_of(revision);
            meta::name(revision) == meta::name(&*latest)
                || pods.iter().any(|pod| plan::hash(pod) == hash.as_deref())
        };
        for revision in revisions::outdated(&held, in_use, spec.revision_history_limit) {
            self.revisions.delete(&*revision).await?;
        }
        Ok(hash_of(&latest).unwrap_or_default())
    }

    async fn carry_out(&self, set: &DaemonSet, steps: Vec<Step>) -> Result<(), Error> {
        let each = steps.into_iter().map(|step| async move {
            match step {
                Step::Create(pod) => self.create(set, &pod).await,
                Step::Delete(pod) => self.delete(set, &pod).await,
            }
        });
        join_all(each).await.into_iter().collect()
    }

    async fn create(&self, set: &DaemonSet, pod: &Pod) -> Result<(), Error> {
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

    async fn delete(&self, set: &DaemonSet, pod: &Arc<Pod>) -> Result<(), Error> {
        if crate::pods::phase(pod) == "Failed" {
            let node = place::node_of(pod).unwrap_or_default();
            let key = ObjectKey::of(&**pod);
            let text = format!("Found failed daemon pod {key} on node {node}, will try to kill it");
            self.events.warning(set, "FailedDaemonPod", text);
        }
        self.pods.delete(&**pod).await?;
        let text = format!("Deleted pod: {}", meta::name(&**pod));
        self.events.normal(set, "SuccessfulDelete", text);
        Ok(())
    }

    async fn write_status(&self, set: &DaemonSet, status: DaemonSetStatus) -> Result<(), Error> {
        if set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = DaemonSet {
            status: Some(status),
            ..set.clone()
        };
        self.sets.update_status(&changed).await?;
        Ok(())
    }
}
