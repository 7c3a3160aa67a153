//! Defaults that a schema gives.
//!
//! Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting.

use serde_json::Value;

/// How deep a schema is followed.
const DEPTH: usize = 64;

/// Fills in the defaults of a whole object; its metadata has none.
pub(super) fn apply_root(schema: &Value, object: &mut Value) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (name, schema) in properties {
        if !matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            fill(name, schema, object, 0);
        }
    }
}

fn apply(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(_) => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                fill(name, schema, value, depth);
            }
            let others = &schema["additionalProperties"];
            if let (true, Some(map)) = (others.is_object(), value.as_object_mut()) {
                let known = |name: &str| schema["properties"].get(name).is_some();
                for (_, value) in map.iter_mut().filter(|(name, _)| !known(name)) {
                    apply(others, value, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                apply(&schema["items"], item, depth + 1);
            }
        }
        _ => {}
    }
}

/// One field: its default where it is missing, or null where it may not be, and what is below it.
fn fill(name: &str, schema: &Value, object: &mut Value, depth: usize) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let default = schema.get("default").filter(|default| !default.is_null());
    let absent = match fields.get(name) {
        None => true,
        Some(value) => value.is_null() && schema["nullable"] != true,
    };
    if let (true, Some(default)) = (absent, default) {
        fields.insert(name.to_owned(), default.clone());
    }
    if let Some(value) = fields.get_mut(name) {
        apply(schema, value, depth + 1);
    }
}
