//! What names the elements of a list.

use crate::TypeRef;
use crate::schema::{ListMerge, Shape};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The step that leads to an element: `k:{"name":"a"}` or `v:"x"`.
///
/// Upstream: keyedAssociativeListItemToPathElement. The one key with a default in built-in types is a port's protocol.
pub(super) fn step(merge: &ListMerge, item: &Value) -> String {
    match merge {
        ListMerge::Map(keys) => {
            let mut named = Map::new();
            for key in keys.iter() {
                let value = match item.get(&**key) {
                    Some(value) => value.clone(),
                    None if &**key == "protocol" => "TCP".into(),
                    None => continue,
                };
                named.insert(key.to_string(), value);
            }
            format!("k:{}", Value::Object(named))
        }
        ListMerge::Set | ListMerge::Atomic => format!("v:{item}"),
    }
}

/// The elements of the wish's lists must be told apart. The error is structured-merge-diff's text.
pub(super) fn check(of: TypeRef<'_>, config: &Value) -> Result<(), String> {
    check_at(of, config, "")
}

fn check_at(of: TypeRef<'_>, value: &Value, path: &str) -> Result<(), String> {
    match (of.shape(), value) {
        (Shape::Struct(object), Value::Object(fields)) => {
            for (name, value) in fields {
                if let Some(field) = object.field(name) {
                    check_at(field.of, value, &format!("{path}.{name}"))?;
                }
            }
            Ok(())
        }
        (Shape::List(items, merge), Value::Array(values)) if *merge != ListMerge::Atomic => {
            let mut seen = HashSet::new();
            for value in values {
                if let ListMerge::Map(keys) = merge
                    && let Some(missing) = missing_key(keys, value)
                {
                    return Err(format!(
                        "{path}: element 0: associative list with keys has an element that omits key field {missing:?} (and doesn't have default value)"
                    ));
                }
                let step = step(merge, value);
                let shown = super::set::shown(&step);
                if !seen.insert(step) {
                    return Err(format!("{path}: duplicate entries for key {shown}"));
                }
                check_at(items, value, &format!("{path}{shown}"))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn missing_key<'k>(keys: &'k [std::sync::Arc<str>], item: &Value) -> Option<&'k str> {
    keys.iter()
        .map(|key| &**key)
        .find(|key| item.get(key).is_none() && *key != "protocol")
}
