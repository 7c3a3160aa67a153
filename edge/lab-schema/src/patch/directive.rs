//! The words that steer a strategic merge patch.

use super::PatchError;
use crate::go;
use serde_json::{Map, Value};

pub(super) const PATCH: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
pub(super) const SET_ELEMENT_ORDER: &str = "$setElementOrder";

/// What a field of a patch means.
pub(super) enum Key<'k> {
    /// The field of this name.
    Field(&'k str),
    /// `$deleteFromPrimitiveList/name`.
    Delete(&'k str),
    /// `$setElementOrder/name`.
    Order(&'k str),
}

impl<'k> Key<'k> {
    /// Upstream: extractKey.
    pub(super) fn parse(key: &'k str) -> Result<Self, PatchError> {
        if let Some(rest) = key.strip_prefix(DELETE_FROM_LIST) {
            let name = rest.strip_prefix('/');
            let bad = || PatchError::Bad("invalid patch format of primitive list".into());
            return name.map(Self::Delete).ok_or_else(bad);
        }
        if let Some(rest) = key.strip_prefix(SET_ELEMENT_ORDER) {
            return rest
                .strip_prefix('/')
                .map(Self::Order)
                .ok_or_else(bad_order);
        }
        Ok(Self::Field(key))
    }
}

pub(super) fn bad_order() -> PatchError {
    PatchError::Bad("invalid patch format of setElementOrder list".into())
}

/// Upstream: mergepatch.ErrNoMergeKey.
pub(super) fn no_merge_key(element: &Map<String, Value>, key: &str) -> PatchError {
    PatchError::Other(format!(
        "map: {} does not contain declared merge key: {key}",
        go::print(&Value::Object(element.clone()))
    ))
}

/// Upstream: mergepatch.ErrBadArgType.
pub(super) fn bad_type(expected: &Value, actual: &Value) -> PatchError {
    PatchError::Other(format!(
        "expected a {}, but received a {}",
        go::type_name(expected),
        go::type_name(actual)
    ))
}

/// Upstream: mergepatch.ErrBadPatchType.
pub(super) fn bad_directive(directive: &Value, patch: &Map<String, Value>) -> PatchError {
    PatchError::Other(format!(
        "unknown patch type: {} in map: {}",
        go::print(directive),
        go::print(&Value::Object(patch.clone()))
    ))
}

/// A value new to the object: nulls and directives have nothing to act on. None where the value itself is a directive.
///
/// Upstream: discardNullValuesFromPatch and removeDirectives.
pub(super) fn plain(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(PATCH) => None,
        Value::Object(fields) => Some(Value::Object(plain_fields(fields))),
        Value::Array(items) => Some(Value::Array(plain_items(items))),
        scalar => Some(scalar),
    }
}

fn plain_fields(fields: Map<String, Value>) -> Map<String, Value> {
    let kept = fields
        .into_iter()
        .filter(|(key, value)| !value.is_null() && !is_directive(key));
    kept.filter_map(|(key, value)| Some((key, plain(value)?)))
        .collect()
}

/// The elements of a list that is new to the object.
pub(super) fn plain_items(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter_map(plain).collect()
}

fn is_directive(key: &str) -> bool {
    key == RETAIN_KEYS || key.starts_with(DELETE_FROM_LIST) || key.starts_with(SET_ELEMENT_ORDER)
}
