//! Stored objects as clients want them: in another version, only their metadata, or as a table.

use crate::call::Call;
use crate::kinds;
use crate::negotiate::Form;
use crate::registry::Served;
use crate::stored::Stored;
use bytes::Bytes;
use k8s::status::ApiError;
use serde_json::{Value, json};
use std::sync::Arc;

/// One object in the call's form.
pub(crate) fn object(call: &Call, stored: &Stored) -> Result<Value, ApiError> {
    value(call, stored.value())
}

/// One object, given as a value of any version, in the call's form.
pub(crate) fn value(call: &Call, value: Value) -> Result<Value, ApiError> {
    let value = kinds::to_version(&call.resource, value)?;
    Ok(match call.form {
        Form::Object => value,
        Form::Metadata => partial(&value),
        Form::Table(version) => {
            let metadata = json!({"resourceVersion": value["metadata"]["resourceVersion"]});
            let row = row(call, &value);
            table(call, version, metadata, vec![row], true)
        }
    })
}

/// The pieces of a list in the call's form; an object that cannot be converted is left out and logged.
pub(crate) fn item(resource: &Served, form: Form, stored: &Arc<Stored>) -> Option<Bytes> {
    match form {
        Form::Object if !resource.converts(stored) => Some(stored.bytes().clone()),
        Form::Metadata => Some(partial_bytes(stored)),
        _ => match kinds::to_version(resource, stored.value()) {
            Ok(value) => Some(value.to_string().into()),
            Err(error) => {
                tracing::warn!(%error, kind = resource.kind, name = &*stored.meta.name, "an object cannot be converted");
                None
            }
        },
    }
}

/// `PartialObjectMetadata` without parsing.
pub(crate) fn partial_bytes(stored: &Stored) -> Bytes {
    let head = br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#;
    [head, stored.metadata(), b"}"].concat().into()
}

fn partial(value: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
}

/// A table with rows.
pub(crate) fn table(
    call: &Call,
    version: &str,
    metadata: Value,
    rows: Vec<Value>,
    with_columns: bool,
) -> Value {
    let columns = if with_columns {
        kinds::columns(&call.resource)
    } else {
        Vec::new()
    };
    json!({
        "kind": "Table", "apiVersion": format!("meta.k8s.io/{version}"), "metadata": metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

/// The row of one object.
pub(crate) fn row(call: &Call, value: &Value) -> Value {
    let object = match call.query.get("includeObject") {
        Some("Object") => value.clone(),
        Some("None") => Value::Null,
        _ => partial(value),
    };
    let mut row = kinds::row(&call.resource, value, call.now);
    row["object"] = object;
    row
}
