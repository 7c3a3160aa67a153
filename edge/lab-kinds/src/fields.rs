//! Which fields a field selector may name, and their values.
//!
//! Upstream: pkg/apis/*/v1/conversion.go (AddFieldLabelConversionFunc) and ToSelectableFields in
//! pkg/registry (v1.36). Kinds that say nothing have `metadata.name` and `metadata.namespace`.

#[cfg(test)]
mod tests;

use crate::json::{at, flag, int, items, text};
use crate::resources::Resource;
use serde_json::Value;

const POD: [&str; 9] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

const REFERENCE: [&str; 7] = [
    "kind",
    "namespace",
    "name",
    "uid",
    "apiVersion",
    "resourceVersion",
    "fieldPath",
];

/// Whether the resource has that field for selectors; the error is upstream's sentence.
pub fn check(resource: &Resource, label: &str) -> Result<(), String> {
    if is_name(resource, label) || is_own(resource, label) {
        return Ok(());
    }
    Err(
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("batch", "jobs") => format!("field label {label:?} not supported for Job"),
            (
                "",
                "pods"
                | "nodes"
                | "replicationcontrollers"
                | "events"
                | "namespaces"
                | "secrets"
                | "services",
            )
            | ("events.k8s.io", _)
            | ("certificates.k8s.io", _)
            | ("resource.k8s.io", "resourceslices") => {
                format!("field label not supported: {label}")
            }
            _ if is_custom(resource) => format!("field label not supported: {label}"),
            _ => format!(
                "{label:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            ),
        },
    )
}

/// The value of a field that a selector may name; none for fields it may not.
pub fn value(resource: &Resource, object: &Value, label: &str) -> Option<String> {
    check(resource, label).ok()?;
    Some(
        match (resource.group.as_str(), resource.resource.as_str(), label) {
            (_, _, "metadata.name" | "metadata.namespace") => text(object, label).to_owned(),
            ("", "pods", _) => of_pod(object, label),
            ("" | "events.k8s.io", "events", _) => of_event(&resource.group, object, label),
            ("batch", "jobs", _) => number(object, "status.succeeded"),
            ("", "replicationcontrollers", _) => number(object, label),
            ("", "nodes", _) => flag(object, label).to_string(),
            _ => text(object, label).to_owned(),
        },
    )
}

/// The value of a field that a custom resource's version lists in `selectableFields` (paths such
/// as `.spec.color`); none for fields it does not list.
pub fn custom_value(selectable: &[Value], object: &Value, label: &str) -> Option<String> {
    if matches!(label, "metadata.name" | "metadata.namespace") {
        return Some(text(object, label).to_owned());
    }
    let listed = |field: &Value| text(field, "jsonPath").trim_start_matches('.') == label;
    selectable
        .iter()
        .any(listed)
        .then(|| match at(object, label) {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
}

fn is_custom(resource: &Resource) -> bool {
    crate::resources::find(&resource.group, &resource.version, &resource.resource).is_none()
}

fn is_name(resource: &Resource, label: &str) -> bool {
    // Kinds that list their labels leave the namespace out where there is none.
    let cluster = resource.group.is_empty() && !resource.namespaced;
    label == "metadata.name"
        || (label == "metadata.namespace"
            && !(cluster && matches!(resource.resource.as_str(), "nodes" | "namespaces")))
}

fn is_own(resource: &Resource, label: &str) -> bool {
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "pods") => POD.contains(&label) || label == "spec.host",
        ("", "events") => {
            matches!(label, "reason" | "reportingComponent" | "source" | "type")
                || is_reference(label, "involvedObject.")
        }
        ("events.k8s.io", _) => {
            matches!(label, "reason" | "reportingController" | "type")
                || is_reference(label, "regarding.")
        }
        ("", "secrets") => label == "type",
        ("", "nodes") => label == "spec.unschedulable",
        ("", "namespaces") => label == "status.phase",
        ("", "services") => matches!(label, "spec.clusterIP" | "spec.type"),
        ("", "replicationcontrollers") => label == "status.replicas",
        ("batch", "jobs") => label == "status.successful",
        ("certificates.k8s.io", _) => label == "spec.signerName",
        ("resource.k8s.io", "resourceslices") => {
            matches!(label, "spec.nodeName" | "spec.driver")
        }
        _ => false,
    }
}

fn is_reference(label: &str, prefix: &str) -> bool {
    label
        .strip_prefix(prefix)
        .is_some_and(|field| REFERENCE.contains(&field))
}

fn number(object: &Value, path: &str) -> String {
    int(object, path).unwrap_or_default().to_string()
}

fn of_pod(pod: &Value, label: &str) -> String {
    match label {
        "spec.host" => text(pod, "spec.nodeName").to_owned(),
        "spec.hostNetwork" => flag(pod, label).to_string(),
        "status.podIP" => items(pod, "status.podIPs")
            .first()
            .map_or("", |ip| text(ip, "ip"))
            .to_owned(),
        _ => text(pod, label).to_owned(),
    }
}

fn of_event(group: &str, event: &Value, label: &str) -> String {
    if label != "source" {
        return text(event, label).to_owned();
    }
    let source = if group.is_empty() {
        "source.component"
    } else {
        "deprecatedSource.component"
    };
    match text(event, source) {
        "" => text(event, "reportingComponent").to_owned(),
        component => component.to_owned(),
    }
}
