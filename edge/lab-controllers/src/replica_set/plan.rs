//! What a ReplicaSet's pods should become: whom to claim, how many to make or delete.

use crate::engine::Error;
use crate::engine::cache::Object;
use crate::meta;
use crate::pods;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::core::Selector;
use std::sync::Arc;

/// Objects to adopt, and to let go.
#[derive(Debug)]
pub(crate) struct Claims<K> {
    pub(crate) adopt: Vec<Arc<K>>,
    pub(crate) release: Vec<Arc<K>>,
}

/// What to claim among pods. Upstream: PodControllerRefManager.ClaimPods.
pub(crate) fn claims(
    set: &ReplicaSet,
    owned: &[Arc<Pod>],
    orphans: &[Arc<Pod>],
) -> Result<Claims<Pod>, Error> {
    let Some(spec) = &set.spec else {
        return Err(Error::Invalid("the ReplicaSet has no spec".into()));
    };
    let selector = meta::selector(&spec.selector)?;
    let active = |pods: &[Arc<Pod>]| -> Vec<Arc<Pod>> {
        pods.iter()
            .filter(|pod| pods::is_active(pod))
            .cloned()
            .collect()
    };
    Ok(claims_of(set, &selector, &active(owned), &active(orphans)))
}

/// What to claim among objects of any kind.
pub(crate) fn claims_of<O: Resource, K: Object>(
    owner: &O,
    selector: &Selector,
    owned: &[Arc<K>],
    orphans: &[Arc<K>],
) -> Claims<K> {
    let release = owned
        .iter()
        .filter(|object| !meta::matches(selector, &***object));
    let adopt = orphans.iter().filter(|object| {
        !meta::is_deleted(owner)
            && !meta::is_deleted(&***object)
            && meta::matches(selector, &***object)
    });
    Claims {
        adopt: adopt.cloned().collect(),
        release: release.cloned().collect(),
    }
}

/// How the number of active pods differs from what is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Right,
    Create(usize),
    Delete(usize),
}

/// Compares `active` pods with the set's replicas.
pub(crate) fn count(set: &ReplicaSet, active: usize) -> Count {
    let wanted = set
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    match active.cmp(&wanted) {
        std::cmp::Ordering::Less => Count::Create(wanted - active),
        std::cmp::Ordering::Equal => Count::Right,
        std::cmp::Ordering::Greater => Count::Delete(active - wanted),
    }
}
