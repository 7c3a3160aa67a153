//! What is particular to a kind: defaults, validation, columns, fields, versions.
//!
//! The one place where built-in kinds and custom resources part ways.

use crate::registry::Served;
use crate::stored::Stored;
use jiff::Timestamp;
use k8s::status::{ApiError, FieldError};
use lab_kinds::strategy;
use serde_json::{Value, json};

impl Served {
    /// Whether a stored object is in another version than this resource's.
    pub(crate) fn converts(&self, _stored: &Stored) -> bool {
        false
    }
}

/// An object of any version in this resource's version.
pub(crate) fn to_version(_resource: &Served, value: Value) -> Result<Value, ApiError> {
    Ok(value)
}

/// An object of this resource's version in the version that is stored.
pub(crate) fn to_storage(_resource: &Served, value: Value) -> Result<Value, ApiError> {
    Ok(value)
}

/// The columns of a table of this resource.
pub(crate) fn columns(_resource: &Served) -> Vec<Value> {
    vec![
        json!({"name": "Name", "type": "string", "format": "name", "description": "Name", "priority": 0}),
        json!({"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0}),
    ]
}

/// The cells of one row.
pub(crate) fn cells(_resource: &Served, value: &Value, _now: Timestamp) -> Vec<Value> {
    vec![
        value["metadata"]["name"].clone(),
        value["metadata"]["creationTimestamp"].clone(),
    ]
}

/// Fills in what a client may leave out.
pub(crate) fn default(resource: &Served, value: &mut Value) {
    strategy::default(&resource.group, &resource.version, &resource.kind, value);
}

/// Resets what a client may not set on create.
pub(crate) fn prepare_create(resource: &Served, value: &mut Value) {
    strategy::prepare_create(resource, value);
}

/// Keeps what an update may not change.
pub(crate) fn prepare_update(
    resource: &Served,
    subresource: Option<&str>,
    old: &Value,
    new: &mut Value,
) {
    strategy::prepare_update(resource, subresource, old, new);
}

/// What is wrong with a new object.
pub(crate) fn validate_create(resource: &Served, value: &Value) -> Vec<FieldError> {
    strategy::validate_create(resource, value)
}

/// What is wrong with a change.
pub(crate) fn validate_update(
    resource: &Served,
    subresource: Option<&str>,
    old: &Value,
    new: &Value,
) -> Vec<FieldError> {
    strategy::validate_update(resource, subresource, old, new)
}

/// The value of a selectable field; `None` when the kind has no such field.
pub(crate) fn field(_resource: &Served, value: &Value, field: &str) -> Option<String> {
    let found = field
        .split('.')
        .try_fold(value, |value, step| value.get(step));
    Some(found.and_then(Value::as_str).unwrap_or("").to_owned())
}
