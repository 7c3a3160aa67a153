//! Revisions and the annotations that carry them; old sets that may go.
//!
//! Upstream: pkg/controller/deployment/util/deployment_util.go (v1.36).

use super::plan::{Effect, Work};
use super::template;
use crate::meta;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use std::sync::Arc;

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";
/// What a set does not take over from its deployment.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
];
/// Upstream: maxRevHistoryLengthInChars.
const HISTORY_LENGTH: usize = 2000;

/// The set's revision; 0 if it has none.
pub(crate) fn revision(set: &ReplicaSet) -> i64 {
    meta::annotation(set, REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn number(set: &ReplicaSet, key: &str) -> Option<i32> {
    meta::annotation(set, key)?.parse().ok()
}

/// The deployment's replicas when the set was last resized.
pub(crate) fn desired(set: &ReplicaSet) -> Option<i32> {
    number(set, DESIRED)
}

/// The deployment's replicas and surge when the set was last resized.
pub(crate) fn maximum(set: &ReplicaSet) -> Option<i32> {
    number(set, MAXIMUM)
}

fn put(set: &mut ReplicaSet, key: &str, value: &str) -> bool {
    let annotations = set.metadata.annotations.get_or_insert_default();
    if annotations.get(key).is_some_and(|held| held == value) {
        return false;
    }
    annotations.insert(key.to_owned(), value.to_owned());
    true
}

/// Copies the deployment's annotations and raises the revision; says whether anything changed.
pub(crate) fn set_annotations(
    set: &mut ReplicaSet,
    deployment: &Deployment,
    new_revision: i64,
) -> bool {
    let mut changed = false;
    for (key, value) in deployment.metadata.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&key.as_str()) {
            changed |= put(set, key, value);
        }
    }
    let old = meta::annotation(set, REVISION).map(str::to_owned);
    if revision(set) >= new_revision {
        return changed;
    }
    put(set, REVISION, &new_revision.to_string());
    if let Some(old) = old {
        remember(set, &old);
    }
    true
}

/// Appends a revision that the set had; the oldest go when there are too many.
fn remember(set: &mut ReplicaSet, old: &str) {
    let history = meta::annotation(set, REVISION_HISTORY).unwrap_or_default();
    let mut revisions: Vec<&str> = history.split(',').filter(|text| !text.is_empty()).collect();
    revisions.push(old);
    let mut text = revisions.join(",");
    while text.len() > HISTORY_LENGTH && revisions.len() > 1 {
        revisions.remove(0);
        text = revisions.join(",");
    }
    put(set, REVISION_HISTORY, &text);
}

/// Notes the deployment's size on the set; says whether anything changed.
pub(crate) fn set_size_annotations(set: &mut ReplicaSet, wanted: i32, surge: i32) -> bool {
    let desired = put(set, DESIRED, &wanted.to_string());
    let maximum = put(set, MAXIMUM, &wanted.saturating_add(surge).to_string());
    desired || maximum
}

/// The deployment with `revision`, if it has another.
pub(crate) fn with_revision(deployment: &Deployment, revision: i64) -> Option<Deployment> {
    let text = revision.to_string();
    if meta::annotation(deployment, REVISION) == Some(text.as_str()) {
        return None;
    }
    let mut changed = deployment.clone();
    changed
        .metadata
        .annotations
        .get_or_insert_default()
        .insert(REVISION.into(), text);
    Some(changed)
}

/// Deletes the empty old sets beyond the history limit. Upstream: cleanupDeployment.
pub(crate) fn clean_up(work: &mut Work<'_>) {
    let Some(limit) = work
        .spec
        .revision_history_limit
        .and_then(|limit| usize::try_from(limit).ok())
    else {
        return;
    };
    let mut cleanable: Vec<&ReplicaSet> = work
        .old
        .iter()
        .filter(|set| !meta::is_deleted(*set))
        .collect();
    let excess = cleanable.len().saturating_sub(limit);
    cleanable.sort_by_key(|set| revision(set));
    let doomed: Vec<_> = cleanable
        .into_iter()
        .take(excess)
        .filter(|set| is_idle(set))
        .map(|set| Effect::Delete(Arc::new(set.clone())))
        .collect();
    work.effects.extend(doomed);
}

fn is_idle(set: &ReplicaSet) -> bool {
    let status = set.status.as_ref();
    let observed = status
        .and_then(|status| status.observed_generation)
        .unwrap_or(0);
    status.is_none_or(|status| status.replicas == 0)
        && template::replicas(set) == 0
        && set.metadata.generation.unwrap_or(0) <= observed
}
