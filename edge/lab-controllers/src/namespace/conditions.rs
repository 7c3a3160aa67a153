//! What a terminating namespace says of itself.
//!
//! Upstream: pkg/controller/namespace/deletion/status_condition_utils.go (v1.36).

use crate::discovery::Served;
use crate::meta::stamp;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus};
use kube::core::PartialObjectMeta;
use std::collections::BTreeMap;

/// What is still in a namespace, and what could not be found out.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// How many objects are left, by resource as messages name it.
    objects: BTreeMap<String, usize>,
    /// How many objects wait for each finalizer.
    finalizers: BTreeMap<String, usize>,
    /// Groups that discovery failed for.
    pub(super) undiscovered: Vec<String>,
    /// Deletions that failed.
    pub(super) failures: Vec<String>,
}

impl Remains {
    pub(super) fn add(&mut self, kind: &Served, left: &[PartialObjectMeta]) {
        let name = format!("{}.{}", kind.resource.plural, kind.resource.group);
        *self.objects.entry(name).or_default() += left.len();
        for finalizer in left
            .iter()
            .flat_map(|object| object.metadata.finalizers.iter().flatten())
        {
            *self.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
    }

    /// Whether the namespace may go.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.undiscovered.is_empty() && self.failures.is_empty()
    }
}

type Fact = (&'static str, bool, &'static str, String);

/// The namespace's status with what `remains`.
pub(super) fn status(namespace: &Namespace, remains: &Remains, now: Timestamp) -> NamespaceStatus {
    let old = namespace.status.clone().unwrap_or_default();
    let held = old.conditions.unwrap_or_default();
    let conditions = facts(remains)
        .into_iter()
        .map(|(kind, value, reason, message)| {
            let value = if value { "True" } else { "False" };
            let before = held.iter().find(|condition| condition.type_ == kind);
            let since = before.filter(|condition| condition.status == value);
            let since = since.and_then(|condition| condition.last_transition_time.clone());
            NamespaceCondition {
                type_: kind.to_owned(),
                status: value.to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message),
                last_transition_time: since.or(Some(stamp(now))),
            }
        });
    NamespaceStatus {
        phase: Some("Terminating".into()),
        conditions: Some(conditions.collect()),
    }
}

fn facts(remains: &Remains) -> [Fact; 5] {
    [
        match remains.undiscovered.as_slice() {
            [] => (
                "NamespaceDeletionDiscoveryFailure",
                false,
                "ResourcesDiscovered",
                "All resources successfully discovered".into(),
            ),
            failures => (
                "NamespaceDeletionDiscoveryFailure",
                true,
                "DiscoveryFailed",
                format!(
                    "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
                    failures.len(),
                    failures.join(", ")
                ),
            ),
        },
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".into(),
        ),
        match remains.failures.as_slice() {
            [] => (
                "NamespaceDeletionContentFailure",
                false,
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization".into(),
            ),
            failures => (
                "NamespaceDeletionContentFailure",
                true,
                "ContentDeletionFailed",
                format!(
                    "Failed to delete all resource types, {} remaining: {}",
                    failures.len(),
                    failures.join(", ")
                ),
            ),
        },
        content(&remains.objects),
        finalizers(&remains.finalizers),
    ]
}

fn content(objects: &BTreeMap<String, usize>) -> Fact {
    let kind = "NamespaceContentRemaining";
    if objects.is_empty() {
        return (
            kind,
            false,
            "ContentRemoved",
            "All content successfully removed".into(),
        );
    }
    let each: Vec<_> = objects
        .iter()
        .map(|(name, count)| format!("{name} has {count} resource instances"))
        .collect();
    let text = format!("Some resources are remaining: {}", each.join(", "));
    (kind, true, "SomeResourcesRemain", text)
}

fn finalizers(finalizers: &BTreeMap<String, usize>) -> Fact {
    let kind = "NamespaceFinalizersRemaining";
    if finalizers.is_empty() {
        let text = "All content-preserving finalizers finished".into();
        return (kind, false, "ContentHasNoFinalizers", text);
    }
    let each: Vec<_> = finalizers
        .iter()
        .map(|(name, count)| format!("{name} in {count} resource instances"))
        .collect();
    let text = format!(
        "Some content in the namespace has finalizers remaining: {}",
        each.join(", ")
    );
    (kind, true, "SomeFinalizersRemain", text)
}
