//! What happens to an object on its way into the store: defaults, what a client may not set, and
//! what is refused.
//!
//! Upstream: pkg/registry/*/*/strategy.go (v1.36).
//!
//! The order on create: name and uid are set, then [`default`], [`prepare_create`],
//! [`validate_create`]. On update: [`default`], [`prepare_update`], [`validate_update`].

mod daemon_sets;
mod generation;
mod jobs;
mod pods;
mod services;
#[cfg(test)]
mod tests;

use crate::json::{Object, empty, ensure_object};
use crate::resources::Resource;
use k8s::features::Gates;
use serde_json::{Value, json};

pub use crate::defaults::default;
pub use crate::validation::{validate_create, validate_scale, validate_update};
pub use services::{needs_cluster_ip, needs_node_ports};

/// Resets what a client may not set on create and completes what depends on the whole object.
///
/// `metadata.name` and `metadata.uid` must be set: a Job's selector is made of them.
pub fn prepare_create(resource: &Resource, object: &mut Value) {
    let builtin = is_builtin(resource);
    let generation = generation::starts(resource, builtin);
    if let Some(fields) = object.as_object_mut() {
        reset_status(resource, builtin, fields);
        if let Some(metadata) = fields
            .entry("metadata")
            .or_insert_with(empty)
            .as_object_mut()
        {
            metadata.remove("generation");
            if generation {
                metadata.insert("generation".to_owned(), 1.into());
            }
        }
    }
    if !builtin {
        return;
    }
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "pods") => pods::prepare_create(object),
        ("", "namespaces") => namespace_finalizer(object),
        ("", "services") => services::prepare_create(object),
        ("batch", "jobs") => jobs::prepare_create(object),
        ("apps", "daemonsets") => daemon_sets::prepare_create(object),
        _ => {}
    }
}

/// Leaves out fields of features that are off, unless they were in use before.
/// Upstream: dropDisabledFields of horizontalpodautoscaler/strategy.go.
pub fn drop_disabled(gates: Gates, resource: &Resource, old: Option<&Value>, new: &mut Value) {
    if resource.is("autoscaling", "horizontalpodautoscalers") && !gates.configurable_tolerance {
        k8s::autoscaling::drop_tolerances(old, new);
    }
}

/// Keeps what an update through this endpoint may not change, and counts the generation.
pub fn prepare_update(
    resource: &Resource,
    subresource: Option<&str>,
    old: &Value,
    new: &mut Value,
) {
    let builtin = is_builtin(resource);
    let Some(fields) = new.as_object_mut() else {
        return;
    };
    for key in [
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        copy_metadata(old, fields, key);
    }
    keep_uid(old, fields);
    match subresource {
        Some("status") if builtin => keep_all_but_status(old, fields),
        Some("status") => custom_status(old, fields),
        // A signing request is approved by a condition in its status.
        Some("approval") => {}
        _ if resource.subresource("status").is_some() => copy(old, fields, "status"),
        _ => {}
    }
    if subresource == Some("status") {
        if resource.is("", "pods") {
            pods::prepare_status(old, new);
        }
        return;
    }
    if builtin {
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "services") => services::prepare_update(old, new),
            ("apps", "daemonsets") => daemon_sets::prepare_update(old, new),
            ("", "namespaces") if subresource.is_none() => keep_namespace_finalizers(old, new),
            _ => {}
        }
    }
    generation::count(resource, builtin, old, new);
}

fn is_builtin(resource: &Resource) -> bool {
    crate::resources::find(&resource.group, &resource.version, &resource.resource).is_some()
}

/// Nodes come with their status; nothing else does.
fn reset_status(resource: &Resource, builtin: bool, fields: &mut Object) {
    if resource.subresource("status").is_none() || resource.is("", "nodes") {
        return;
    }
    fields.remove("status");
    if builtin
        && let Some(status) =
            crate::defaults::initial_status(&resource.group, &resource.version, &resource.kind)
    {
        fields.insert("status".to_owned(), status);
    }
}

/// Upstream: namespaceStrategy.PrepareForCreate.
fn namespace_finalizer(namespace: &mut Value) {
    let Some(spec) = ensure_object(namespace, "spec") else {
        return;
    };
    let finalizers = spec.entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut()
        && !list.iter().any(|f| f == "kubernetes")
    {
        list.push("kubernetes".into());
    }
}

fn keep_namespace_finalizers(old: &Value, new: &mut Value) {
    let finalizers = old.pointer("/spec/finalizers").cloned();
    if let Some(spec) = ensure_object(new, "spec") {
        match finalizers {
            Some(finalizers) => spec.insert("finalizers".to_owned(), finalizers),
            None => spec.remove("finalizers"),
        };
    }
}

fn copy(old: &Value, new: &mut Object, key: &str) {
    match old.get(key) {
        Some(value) => new.insert(key.to_owned(), value.clone()),
        None => new.remove(key),
    };
}

fn copy_metadata(old: &Value, new: &mut Object, key: &str) {
    let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    match old.get("metadata").and_then(|m| m.get(key)) {
        Some(value) => metadata.insert(key.to_owned(), value.clone()),
        None => metadata.remove(key),
    };
}

/// A client that leaves the uid out means the same object. Upstream: rest.BeforeUpdate.
fn keep_uid(old: &Value, new: &mut Object) {
    let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(uid) = old.get("metadata").and_then(|m| m.get("uid")) {
        crate::json::default_zero(metadata, "uid", uid.clone());
    }
}

/// A status update changes metadata and status only.
fn keep_all_but_status(old: &Value, new: &mut Object) {
    let Some(old) = old.as_object() else { return };
    new.retain(|key, _| is_head(key) || key == "status");
    for (key, value) in old {
        if !is_head(key) && key != "status" {
            new.insert(key.clone(), value.clone());
        }
    }
}

fn is_head(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

/// A custom resource's status update leaves metadata alone, but for who manages which field.
/// Upstream: apiextensions-apiserver pkg/registry/customresource/status_strategy.go.
fn custom_status(old: &Value, new: &mut Object) {
    keep_all_but_status(old, new);
    let Some(mut metadata) = old.get("metadata").cloned() else {
        return;
    };
    for key in ["managedFields", "resourceVersion"] {
        if let Some(value) = new.get("metadata").and_then(|m| m.get(key)) {
            metadata[key] = value.clone();
        }
    }
    new.insert("metadata".to_owned(), metadata);
}
