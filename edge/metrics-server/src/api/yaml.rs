//! YAML as Kubernetes writes it: keys in order, lists not indented, quotes only where they are needed.
//!
//! Upstream: sigs.k8s.io/yaml. Only people ask for it, so it is made from JSON.

use serde_json::Value;

/// The same document.
pub(super) fn from_json(json: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice(json).unwrap_or(Value::Null);
    let mut out = String::with_capacity(json.len() * 2);
    match &value {
        Value::Object(fields) if !fields.is_empty() => block(&mut out, &value, 0),
        other => {
            inline(&mut out, other);
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
                text(out, key);
                out.push(':');
                // A list stands at the depth of its key.
                let deeper = if value.is_array() { depth } else { depth + 1 };
                if is_block(value) {
                    out.push('\n');
                    indent(out, deeper);
                    block(out, value, deeper);
                } else {
                    out.push(' ');
                    inline(out, value);
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
                    inline(out, item);
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
fn inline(out: &mut String, value: &Value) {
    match value {
        Value::String(string) => text(out, string),
        other => out.push_str(&other.to_string()),
    }
}

/// A text, quoted if it could be read as anything else.
fn text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        // A JSON string is a double-quoted YAML scalar.
        out.push_str(&Value::from(text).to_string());
    }
}

/// Whether a text needs no quotes: a strict subset of what YAML allows.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let Some(first) = text.chars().next() else {
        return false;
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || "./_-()\"', ".contains(c);
    let starts = first.is_ascii_alphabetic() || first == '/';
    let quantity = first.is_ascii_digit() && is_quantity(text);
    (starts || quantity)
        && text.chars().all(letters)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Such as `250m` and `64Mi`, and windows such as `15s` and `1m0.5s`: digits that end in a unit. `1e3` is a number.
fn is_quantity(text: &str) -> bool {
    let unit = |c: char| "numskMGTPEKih".contains(c);
    text.ends_with(unit)
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || unit(c))
        && !text.ends_with('E')
}
