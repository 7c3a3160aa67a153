//! Whose the pods of a snapshot are, for autoscalers that select them by ownership.
//!
//! Not here: who counts as an owner (`k8s::autoscaling::ownership`).

use crate::documents::{Document, Documents};
use crate::error::Error;
use crate::typed;
use hpa::{LeftOut, PodSelection};
use k8s::autoscaling::options;
use k8s::autoscaling::ownership::{self, Kin, Owner, ReplicaSets};
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Whether pods are selected by ownership.
pub(crate) fn is_asked_for(object: &HorizontalPodAutoscaler) -> bool {
    options::of(object).pod_selection == PodSelection::Owner
}

/// The pods that are not the target's own; none where that is not asked for.
pub(crate) fn left_out(
    documents: &Documents,
    object: &HorizontalPodAutoscaler,
    scale: &Scale,
    pods: &[Pod],
) -> Result<Vec<LeftOut>, Error> {
    if !is_asked_for(object) {
        return Ok(Vec::new());
    }
    let reference = &object.spec.scale_target_ref;
    let owner = Owner {
        uid: scale.metadata.uid.clone().filter(|uid| !uid.is_empty()),
        kind: reference.kind.clone(),
        name: reference.name.clone(),
    };
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let mut sets = ReplicaSets::new();
    let is_set =
        |d: &&Document| d.kind() == "ReplicaSet" && d.group() == "apps" && d.is_in(namespace);
    for document in documents.list.iter().filter(is_set) {
        let metadata: ObjectMeta = typed::part(document, &document.value["metadata"], "metadata")?;
        let uid = metadata.uid.clone().unwrap_or_default();
        sets.insert(uid, ownership::controller(&metadata).cloned());
    }
    let kin: Vec<Kin<'_>> = pods.iter().map(Kin::of).collect();
    Ok(ownership::left_out(&kin, &owner, &sets))
}

#[cfg(test)]
mod tests;
