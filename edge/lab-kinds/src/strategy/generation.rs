//! `metadata.generation`: which kinds have it, and what makes it grow.

use crate::json::{at, int, object_mut};
use crate::resources::Resource;
use serde_json::Value;

/// Resources whose strategies count generations. Upstream: `Generation = 1` in pkg/registry.
const COUNTED: [(&str, &str); 24] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    (
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    (
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
    ),
];

/// Whether new objects have generation 1; custom ones always do.
pub(super) fn starts(resource: &Resource, builtin: bool) -> bool {
    !builtin || COUNTED.contains(&(resource.group.as_str(), resource.resource.as_str()))
}

/// One more if the object says something else now.
pub(super) fn count(resource: &Resource, builtin: bool, old: &Value, new: &mut Value) {
    if !starts(resource, builtin) || !changed(resource, old, new) {
        return;
    }
    let generation = int(old, "metadata.generation").unwrap_or_default() + 1;
    if let Some(metadata) = object_mut(new, "metadata") {
        metadata.insert("generation".to_owned(), generation.into());
    }
}

fn changed(resource: &Resource, old: &Value, new: &Value) -> bool {
    let also = match (resource.group.as_str(), resource.resource.as_str()) {
        ("apps", "deployments") => "metadata.annotations",
        ("discovery.k8s.io", "endpointslices") => "metadata.labels",
        _ => "",
    };
    differs(old, new) || (!also.is_empty() && at(old, also) != at(new, also))
}

/// Whether anything but metadata and status differs.
fn differs(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return false;
    };
    let matters = |key: &str| !matches!(key, "apiVersion" | "kind" | "metadata" | "status");
    old.iter()
        .any(|(key, value)| matters(key) && new.get(key) != Some(value))
        || new.keys().any(|key| matters(key) && !old.contains_key(key))
}
