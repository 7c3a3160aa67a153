//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.
//!
//! Upstream: pkg/controller/history/controller_history.go (v1.36).

use crate::deployment::template;
use crate::engine::Error;
use crate::engine::writer::Writer;
use crate::meta;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::Resource;
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use std::sync::Arc;

/// The label of pods that names their revision.
pub(crate) const LABEL: &str = "controller-revision-hash";

/// The revisions of one owner, as the API should have them.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The revision of the owner's template.
    pub(crate) latest: ControllerRevision,
    /// How to write it, if it is not there so.
    pub(crate) write: Write,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Nothing,
    Create,
    Update,
}

fn data(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}

/// The pod template that a revision keeps.
pub(crate) fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let template = revision.data.as_ref()?.0.get("spec")?.get("template")?;
    serde_json::from_value(template.clone()).ok()
}

/// Finds the revision of `template` among those `held`, or makes one; a template that comes back
/// becomes the newest again.
pub(crate) fn plan<O: Resource<DynamicType = ()>>(
    owner: &O,
    template: &PodTemplateSpec,
    held: &[Arc<ControllerRevision>],
    hash_label: &str,
) -> Plan {
    let newest = held
        .iter()
        .map(|revision| revision.revision)
        .max()
        .unwrap_or(0);
    let same = held
        .iter()
        .filter(|held| template_of(held).as_ref() == Some(template));
    if let Some(same) = same.max_by_key(|revision| revision.revision) {
        let mut latest = (**same).clone();
        let write = if latest.revision == newest {
            Write::Nothing
        } else {
            Write::Update
        };
        if write == Write::Update {
            latest.revision = newest + 1;
        }
        return Plan { latest, write };
    }
    let latest = new(owner, template, newest + 1, hash_label);
    Plan {
        latest,
        write: Write::Create,
    }
}

fn new<O: Resource<DynamicType = ()>>(
    owner: &O,
    template: &PodTemplateSpec,
    revision: i64,
    hash_label: &str,
) -> ControllerRevision {
    let hash = template::hash(template, None);
    let labels = template
        .metadata
        .as_ref()
        .and_then(|meta| meta.labels.clone());
    let mut labels = labels.unwrap_or_default();
    labels.insert(hash_label.to_owned(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", meta::name(owner))),
            namespace: owner.meta().namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![meta::controller_reference(owner)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data(template))),
        revision,
    }
}

/// The oldest revisions beyond `limit` that nothing uses.
pub(crate) fn outdated(
    held: &[Arc<ControllerRevision>],
    in_use: impl Fn(&ControllerRevision) -> bool,
    limit: Option<i32>,
) -> Vec<Arc<ControllerRevision>> {
    let limit = usize::try_from(limit.unwrap_or(10)).unwrap_or(0);
    let mut idle: Vec<_> = held
        .iter()
        .filter(|revision| !in_use(revision))
        .cloned()
        .collect();
    idle.sort_by_key(|revision| revision.revision);
    let excess = idle.len().saturating_sub(limit);
    idle.truncate(excess);
    idle
}

/// Writes what a plan wants; returns the revision as it is now.
pub(crate) async fn write(
    writer: &Writer<ControllerRevision>,
    plan: Plan,
) -> Result<Arc<ControllerRevision>, Error> {
    match plan.write {
        Write::Nothing => Ok(Arc::new(plan.latest)),
        Write::Create => writer.create(&plan.latest).await,
        Write::Update => writer.update(&plan.latest).await,
    }
}
