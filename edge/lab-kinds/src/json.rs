//! Reading and filling JSON objects by dotted paths, as the other modules need it.
//!
//! A path names object fields only (`spec.template.spec`); keys with dots in them, such as labels,
//! are looked up with `get`. What is absent, `null` or of another type reads as empty: types have
//! been checked against the schema before anything here runs.

use serde_json::{Map, Value};

pub(crate) type Object = Map<String, Value>;

static NULL: Value = Value::Null;

/// The value at the path, `null` if there is none.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let mut here = value;
    for key in path.split('.') {
        match here.get(key) {
            Some(next) => here = next,
            None => return &NULL,
        }
    }
    here
}

/// The text at the path, or an empty one.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// The whole number at the path.
pub(crate) fn int(value: &Value, path: &str) -> Option<i64> {
    at(value, path).as_i64()
}

/// Whether the path holds `true`.
pub(crate) fn flag(value: &Value, path: &str) -> bool {
    at(value, path).as_bool().unwrap_or_default()
}

/// The elements of the list at the path; none if it is no list.
pub(crate) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// The object at the path.
pub(crate) fn object<'a>(value: &'a Value, path: &str) -> Option<&'a Object> {
    at(value, path).as_object()
}

/// Whether there is something other than `null` at the path.
pub(crate) fn has(value: &Value, path: &str) -> bool {
    !at(value, path).is_null()
}

/// The object at the path, to change.
pub(crate) fn object_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Object> {
    let mut here = value;
    for key in path.split('.') {
        here = here.get_mut(key)?;
    }
    here.as_object_mut()
}

/// The object at the path, made where it is missing; none where something else is in the way.
pub(crate) fn ensure_object<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Object> {
    let mut here = value.as_object_mut()?;
    for key in path.split('.') {
        let next = here.entry(key).or_insert(Value::Null);
        if next.is_null() {
            *next = Value::Object(Object::new());
        }
        here = next.as_object_mut()?;
    }
    Some(here)
}

/// Each object in the list under `key`, to change.
pub(crate) fn each_mut<'a>(
    object: &'a mut Object,
    key: &str,
) -> impl Iterator<Item = &'a mut Object> + use<'a> {
    object
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// The object under `key`, to change.
pub(crate) fn child_mut<'a>(object: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    object.get_mut(key).and_then(Value::as_object_mut)
}

/// Whether Go would read the field as its zero value: absent, `null`, `""` or 0.
pub(crate) fn is_zero(object: &Object, key: &str) -> bool {
    match object.get(key) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    }
}

/// Sets a field that has its zero value: Go's non-pointer fields.
pub(crate) fn default_zero(object: &mut Object, key: &str, value: impl Into<Value>) {
    if is_zero(object, key) {
        object.insert(key.to_owned(), value.into());
    }
}

/// Sets a field that is absent or `null`: Go's pointer fields.
pub(crate) fn default_missing(object: &mut Object, key: &str, value: impl Into<Value>) {
    if object.get(key).is_none_or(Value::is_null) {
        object.insert(key.to_owned(), value.into());
    }
}

/// An empty object.
pub(crate) fn empty() -> Value {
    Value::Object(Object::new())
}

/// Takes `null` members away, as decoding into upstream's types does.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, member| !member.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
