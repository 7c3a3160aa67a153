//! Objects → Kubernetes' types; what does not fit is told by its field.

use crate::documents::Document;
use crate::error::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object as a type.
pub(crate) fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Error> {
    part(document, &document.value, "")
}

/// A part of an object, which is at `field`.
pub(crate) fn part<T: DeserializeOwned>(
    document: &Document,
    value: &Value,
    field: &str,
) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let field = match (field, inner.as_str()) {
            (outer, "" | ".") => outer.to_owned(),
            ("", inner) => inner.to_owned(),
            (outer, inner) => format!("{outer}.{inner}"),
        };
        document.error(&field, error.inner().to_string())
    })
}

/// A value's kind, for people.
pub(crate) fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
