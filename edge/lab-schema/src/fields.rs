//! Fields: strict decoding, wrong types, and the form that a Go round trip would leave.

use serde_json::Value;

/// The JSON type of a value, as Go's error texts name it.
pub fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
