//! Values that the API server fills in where a client left them out.
//!
//! Upstream: pkg/apis/*/v1/defaults.go and zz_generated.defaults.go. Upstream decodes into types
//! whose fields are always there; where that makes an empty field appear in what is served
//! (`status: {}`, `resources: {}`), it is filled in here too.

mod core;
mod pod;
mod quantities;
mod rest;
mod status;
#[cfg(test)]
mod tests;
mod volumes;
mod workloads;

use crate::json::{Object, drop_nulls};
use serde_json::Value;

pub(crate) use status::initial as initial_status;

/// Fills in the defaults of an object of that group, version and kind; kinds without defaults, and
/// custom ones, stay as they are but for `null` members, which built-in kinds cannot keep.
pub fn default(group: &str, version: &str, kind: &str, object: &mut Value) {
    if crate::resources::find_kind(group, version, kind).is_none() {
        return;
    }
    if !keeps_nulls(kind) {
        drop_nulls(object);
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    metadata(fields);
    status::fill(group, version, kind, fields);
    match group {
        "" => core::default(kind, object),
        "apps" => workloads::default_apps(kind, object),
        "batch" => workloads::default_batch(kind, object),
        "autoscaling" => rest::default_autoscaling(version, object),
        _ => rest::default(group, kind, object),
    }
}

/// Kinds that carry documents of others, in which `null` may mean something.
fn keeps_nulls(kind: &str) -> bool {
    matches!(kind, "CustomResourceDefinition" | "ControllerRevision")
}

/// Metadata is always there, and its empty members never print.
fn metadata(object: &mut Object) {
    let metadata = object.entry("metadata").or_insert_with(crate::json::empty);
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|_, member| !is_empty(member));
    }
}

fn is_empty(member: &Value) -> bool {
    match member {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
