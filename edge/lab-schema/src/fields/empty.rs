//! Empty lists and maps: Go's `omitempty` leaves them out when it writes an object.

use crate::TypeRef;
use crate::schema::Shape;
use serde_json::{Map, Value};

/// Drops what `omitempty` drops: empty lists and maps, which Go never holds by pointer. To be called after defaulting
/// and validation, which may tell an empty list from none. Objects of custom resources keep what they are given.
pub fn drop_empty(of: TypeRef<'_>, object: &mut Value) {
    match (of.shape(), object) {
        (Shape::Struct(object), Value::Object(fields)) => {
            let custom = object.definition().is_empty();
            fields.retain(|name, value| {
                let Some(field) = object.field(name) else {
                    return true;
                };
                drop_empty(field.of, value);
                custom || field.required || !is_empty(field.of, value)
            });
        }
        (Shape::Map(values, _), Value::Object(entries)) => each(values, entries),
        (Shape::List(items, _), Value::Array(values)) => {
            for value in values {
                drop_empty(items, value);
            }
        }
        _ => {}
    }
}

fn each(of: TypeRef<'_>, entries: &mut Map<String, Value>) {
    for value in entries.values_mut() {
        drop_empty(of, value);
    }
}

fn is_empty(of: TypeRef<'_>, value: &Value) -> bool {
    match (of.shape(), value) {
        (Shape::List(..), Value::Array(values)) => values.is_empty(),
        (Shape::Map(..), Value::Object(entries)) => entries.is_empty(),
        _ => false,
    }
}
