//! Patches: from the object and the patch to the object that should be.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/patch.go (v1.36). What comes out still has to be
//! checked and normalised by [`crate::fields`].

mod directive;
mod elements;
mod order;
mod strategic;
#[cfg(test)]
mod tests;

use crate::TypeRef;
use k8s::status::ApiError;
use serde_json::{Map, Value};

/// Upstream: maxJSONPatchOperations.
const MAX_JSON_PATCH_OPERATIONS: usize = 10_000;

/// How deep patches may nest: deeper ones are refused, so that walking them cannot exhaust the stack.
const MAX_DEPTH: usize = 200;

/// A patch that can't be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchError {
    /// The patch is malformed: 400.
    Bad(String),
    /// The patch doesn't fit the object: 422, with upstream's fixed text.
    Unprocessable(String),
    /// Too many operations: 413.
    TooLarge(String),
    /// What upstream answers with a bare error: 500.
    Other(String),
}

impl From<PatchError> for ApiError {
    /// Upstream: interpretStrategicMergePatchError and applyJSPatch. For 422 the cause is swallowed there; here it is
    /// kept in the details.
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::Bad(text) => Self::bad_request(text),
            PatchError::TooLarge(text) => Self::too_large(text),
            PatchError::Other(text) => Self::internal(text),
            PatchError::Unprocessable(_) => Self {
                code: 422,
                reason: "Invalid",
                message: "the server rejected our request due to an error in our request".into(),
                details: Some(Value::Object(Map::new())),
            },
        }
    }
}

/// JSON patch (RFC 6902).
pub fn json_patch(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let operations = patch.as_array().map_or(0, Vec::len);
    if operations > MAX_JSON_PATCH_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MAX_JSON_PATCH_OPERATIONS}, got {operations}"
        )));
    }
    let patch: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|error| PatchError::Bad(error.to_string()))?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch)
        .map_err(|error| PatchError::Unprocessable(error.to_string()))?;
    Ok(patched)
}

/// Merge patch (RFC 7386).
pub fn merge_patch(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    if !patch.is_object() {
        return Err(PatchError::Bad("Invalid JSON Patch".into()));
    }
    check_depth(patch)?;
    let mut patched = object.clone();
    json_patch::merge(&mut patched, patch);
    Ok(patched)
}

/// Strategic merge patch; `of` is the object's type.
pub fn strategic_merge(
    of: TypeRef<'_>,
    object: &Value,
    patch: &Value,
) -> Result<Value, PatchError> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return Err(PatchError::Bad(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            crate::fields::json_word(patch)
        )));
    };
    check_depth_of(patch.values())?;
    strategic::merge_map(object.clone(), patch.clone(), Some(of)).map(Value::Object)
}

/// The answer to a strategic merge patch of a custom resource. Upstream: handlers/patch.go PatchResource.
pub fn strategic_unsupported() -> ApiError {
    ApiError::unsupported_media_type(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    )
}

fn check_depth(value: &Value) -> Result<(), PatchError> {
    check_depth_of(std::iter::once(value))
}

fn check_depth_of<'v>(values: impl Iterator<Item = &'v Value>) -> Result<(), PatchError> {
    if values.into_iter().any(|v| deeper_than(v, MAX_DEPTH)) {
        return Err(PatchError::Bad(format!(
            "the patch nests deeper than {MAX_DEPTH} levels"
        )));
    }
    Ok(())
}

fn deeper_than(value: &Value, limit: usize) -> bool {
    if limit == 0 {
        return true;
    }
    match value {
        Value::Object(fields) => fields.values().any(|v| deeper_than(v, limit - 1)),
        Value::Array(items) => items.iter().any(|v| deeper_than(v, limit - 1)),
        _ => false,
    }
}
