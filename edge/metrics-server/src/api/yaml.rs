//! YAML as Kubernetes writes it: keys in order, lists not indented, quotes only where they are needed, long texts in
//! several lines.
//!
//! Upstream: sigs.k8s.io/yaml, whose emitter is libyaml's. Only people ask for it, so it is made from JSON.

mod scalar;

use scalar::{Place, text};
use serde_json::Value;

/// The same document.
pub(super) fn from_json(json: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice(json).unwrap_or(Value::Null);
    let mut out = String::with_capacity(json.len() * 2);
    match &value {
        Value::Object(fields) if !fields.is_empty() => block(&mut out, &value, 0),
        other => {
            inline(&mut out, other, 0);
            out.push('\n');
        }
    }
    out.into_bytes()
}

/// Lines of an object or a list that is not empty; the first is not indented.
fn block(out: &mut String, value: &Value, depth: usize) {
    let mut first = true;
    let mut begin = |out: &mut String| {
        if !std::mem::take(&mut first) {
            indent(out, depth);
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                begin(out);
                text(out, key, Place::Key);
                out.push(':');
                // A list stands at the depth of its key.
                let deeper = if value.is_array() { depth } else { depth + 1 };
                if is_block(value) {
                    out.push('\n');
                    indent(out, deeper);
                    block(out, value, deeper);
                } else {
                    out.push(' ');
                    inline(out, value, depth);
                    out.push('\n');
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                begin(out);
                out.push_str("- ");
                if is_block(item) {
                    block(out, item, depth + 1);
                } else {
                    inline(out, item, depth);
                    out.push('\n');
                }
            }
        }
        _ => {}
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// A value within a line. JSON's own words for null, numbers and empty things are YAML's.
fn inline(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(string) => text(
            out,
            string,
            Place::Value {
                indent: 2 * (depth + 1),
            },
        ),
        other => out.push_str(&other.to_string()),
    }
}
