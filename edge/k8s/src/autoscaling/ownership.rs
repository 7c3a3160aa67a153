//! Which of the pods that a selector picks are controlled by the target: itself, or through a ReplicaSet.
//!
//! Not here: asking for ReplicaSets, and taking the other pods out of what was seen.

use hpa::{LeftOut, Unowned};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use std::collections::{BTreeMap, BTreeSet};

/// The target, as owner references know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `metadata.uid`; where it is not known, kind and name count.
    pub uid: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Owner {
    fn is(&self, reference: &OwnerReference) -> bool {
        match &self.uid {
            Some(uid) => *uid == reference.uid,
            None => self.kind == reference.kind && self.name == reference.name,
        }
    }
}

/// A pod, as far as it tells whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Kin<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it has ended.
    pub finished: bool,
    /// What controls it.
    pub controller: Option<&'a OwnerReference>,
}

impl<'a> Kin<'a> {
    /// Of a pod as the API has it.
    pub fn of(pod: &'a Pod) -> Self {
        Self {
            name: pod.metadata.name.as_deref().unwrap_or_default(),
            finished: is_finished(pod),
            controller: controller(&pod.metadata),
        }
    }
}

/// A ReplicaSet's controller by the ReplicaSet's uid; none for one that is gone or has none.
pub type ReplicaSets = BTreeMap<String, Option<OwnerReference>>;

/// What controls an object.
pub fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|o| o.controller == Some(true))
}

/// The ReplicaSets whose controllers must be known to tell whose pods these are: uid and name of each.
pub fn needed(pods: &[Kin<'_>], owner: &Owner) -> BTreeSet<(String, String)> {
    let of_pod = |pod: &Kin<'_>| {
        let between = pod
            .controller
            .filter(|c| is_replica_set(c) && !owner.is(c))?;
        Some((between.uid.clone(), between.name.clone()))
    };
    let unfinished = pods.iter().filter(|pod| !pod.finished);
    unfinished.filter_map(of_pod).collect()
}

/// The pods that are not the owner's, and why.
pub fn left_out(pods: &[Kin<'_>], owner: &Owner, sets: &ReplicaSets) -> Vec<LeftOut> {
    let judged = pods.iter().filter_map(|pod| {
        Some(LeftOut {
            why: unowned(pod, owner, sets)?,
            pod: pod.name.to_owned(),
        })
    });
    judged.collect()
}

fn unowned(pod: &Kin<'_>, owner: &Owner, sets: &ReplicaSets) -> Option<Unowned> {
    if pod.finished {
        return Some(Unowned::Finished);
    }
    let Some(nearest) = pod.controller else {
        return Some(Unowned::NoController);
    };
    let above = sets.get(&nearest.uid).and_then(Option::as_ref);
    if owner.is(nearest) || above.is_some_and(|above| owner.is(above)) {
        return None;
    }
    let other = above.unwrap_or(nearest);
    Some(Unowned::Controller {
        kind: other.kind.clone(),
        name: other.name.clone(),
    })
}

fn is_replica_set(reference: &OwnerReference) -> bool {
    reference.kind == "ReplicaSet" && reference.api_version.starts_with("apps/")
}

fn is_finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests;
