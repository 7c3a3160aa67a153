//! What is refused, in upstream's words.

use crate::resources::Resource;
use k8s::status::FieldError;
use serde_json::Value;

/// What is wrong with a new object.
pub fn validate_create(_resource: &Resource, _object: &Value) -> Vec<FieldError> {
    Vec::new()
}

/// What is wrong with a change.
pub fn validate_update(
    _resource: &Resource,
    _subresource: Option<&str>,
    _old: &Value,
    _new: &Value,
) -> Vec<FieldError> {
    Vec::new()
}
