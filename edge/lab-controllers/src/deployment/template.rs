//! Pod templates: their hash, their equality, and the ReplicaSet that is made from one.
//!
//! Upstream: pkg/controller/deployment/util/deployment_util.go (v1.36).

use crate::meta::{self, Map};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::core::ObjectMeta;
use serde::Serialize;

pub(crate) const HASH_LABEL: &str = "pod-template-hash";

/// The replicas that a set asks for.
pub(crate) fn replicas(set: &ReplicaSet) -> i32 {
    set.spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1)
}

/// The pods of a set that are available.
pub(crate) fn available(set: &ReplicaSet) -> i32 {
    set.status
        .as_ref()
        .and_then(|status| status.available_replicas)
        .unwrap_or(0)
}

fn without_hash(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = template.clone();
    if let Some(labels) = template
        .metadata
        .as_mut()
        .and_then(|meta| meta.labels.as_mut())
    {
        labels.remove(HASH_LABEL);
    }
    template
}

/// Whether `set` has the deployment's template. Upstream: EqualIgnoreHash.
pub(crate) fn is_of(set: &ReplicaSet, deployment: &Deployment) -> bool {
    let of_set = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
    let wanted = deployment.spec.as_ref().map(|spec| &spec.template);
    match (of_set, wanted) {
        (Some(a), Some(b)) => without_hash(a) == without_hash(b),
        _ => false,
    }
}

/// A name's safe ending for the hash of `template`.
///
/// Differs from upstream: FNV-1a of the template's JSON instead of Go's dump of it. The alphabet
/// and the length are the same.
pub(crate) fn hash<T: Serialize>(template: &T, collisions: Option<i32>) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    let json = serde_json::to_vec(template).unwrap_or_default();
    let salt = collisions.map(i32::to_le_bytes);
    for byte in json.iter().chain(salt.iter().flatten()) {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    encode(&hash.to_string())
}

/// Upstream: apimachinery/pkg/util/rand, SafeEncodeString: no vowels, so no words.
fn encode(text: &str) -> String {
    const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes()
        .map(|byte| char::from(SAFE[usize::from(byte) % SAFE.len()]))
        .collect()
}

/// The ReplicaSet for the deployment's template, with no replicas yet.
pub(crate) fn replica_set(deployment: &Deployment) -> ReplicaSet {
    let spec = deployment.spec.clone().unwrap_or_default();
    let collisions = deployment
        .status
        .as_ref()
        .and_then(|status| status.collision_count);
    let hash = hash(&spec.template, collisions);
    let mut template = spec.template;
    let template_meta = template.metadata.get_or_insert_default();
    let labels = template_meta.labels.get_or_insert_default();
    labels.insert(HASH_LABEL.into(), hash.clone());
    let labels: Map = labels.clone();
    let mut selector = spec.selector;
    selector
        .match_labels
        .get_or_insert_default()
        .insert(HASH_LABEL.into(), hash.clone());
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", meta::name(deployment))),
            namespace: deployment.metadata.namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![meta::controller_reference(deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            min_ready_seconds: spec.min_ready_seconds,
            replicas: Some(0),
            selector,
            template: Some(template),
        }),
        status: None,
    }
}
