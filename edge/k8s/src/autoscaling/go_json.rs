//! JSON as Go's encoding/json writes and reads it, where that differs from serde's.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Writes a value with Go's escapes: `<`, `>`, `&` and the two line separators become `\uXXXX`.
/// They can only occur inside strings, so the finished text may be replaced in.
pub(super) fn write<T: Serialize>(value: &T) -> String {
    let plain = serde_json::to_string(value).unwrap_or_default();
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    plain
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Reads a value whose keys, like Go's, may be written in any case. `exact` names the keys under which
/// nothing is folded (maps with keys of their own).
pub(super) fn read<T: DeserializeOwned>(text: &str, fields: &[&str], exact: &[&str]) -> Option<T> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    fold_keys(&mut value, fields, exact);
    serde_json::from_value(value).ok()
}

fn fold_keys(value: &mut Value, fields: &[&str], exact: &[&str]) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fold_keys(item, fields, exact)),
        Value::Object(map) => {
            let odd: Vec<String> = map
                .keys()
                .filter(|k| !fields.contains(&k.as_str()))
                .cloned()
                .collect();
            for key in odd {
                let field = fields.iter().find(|f| f.eq_ignore_ascii_case(&key));
                if let (Some(field), Some(inner)) = (field, map.get(&key).cloned()) {
                    map.remove(&key);
                    map.entry((*field).to_owned()).or_insert(inner);
                }
            }
            for (key, inner) in map.iter_mut() {
                if !exact.contains(&key.as_str()) {
                    fold_keys(inner, fields, exact);
                }
            }
        }
        _ => {}
    }
}
