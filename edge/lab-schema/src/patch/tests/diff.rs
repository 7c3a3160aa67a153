//! A two-way strategic diff: the patch that makes one object of another, as kubectl would send it.
//!
//! Upstream: strategicpatch/patch.go diffMaps.

use crate::TypeRef;
use crate::patch::strategic::lookup;
use serde_json::{Map, Value, json};

pub(super) fn diff(of: Option<TypeRef<'_>>, old: &Value, new: &Value) -> Value {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return new.clone();
    };
    let mut patch = Map::new();
    for (name, new) in new {
        let (field, strategy) = lookup(of, name);
        match (old.get(name), new) {
            (Some(old), new) if old == new => {}
            (Some(Value::Object(_)), Value::Object(_)) if strategy.replace => {
                let mut whole = new.clone();
                whole["$patch"] = "replace".into();
                patch.insert(name.clone(), whole);
            }
            (Some(old @ Value::Object(_)), Value::Object(_)) => {
                patch.insert(name.clone(), diff(field, old, new));
            }
            (Some(Value::Array(old)), Value::Array(new)) if strategy.merge => {
                let of = field.and_then(TypeRef::items);
                match strategy.merge_key.as_deref() {
                    Some(key) => diff_objects(&mut patch, name, (old, new), key, of),
                    None => diff_scalars(&mut patch, name, old, new),
                }
            }
            (_, new) => {
                patch.insert(name.clone(), new.clone());
            }
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Value::Object(patch)
}

fn diff_scalars(patch: &mut Map<String, Value>, name: &str, old: &[Value], new: &[Value]) {
    let gone: Vec<&Value> = old.iter().filter(|v| !new.contains(v)).collect();
    let added: Vec<&Value> = new.iter().filter(|v| !old.contains(v)).collect();
    if !gone.is_empty() {
        patch.insert(format!("$deleteFromPrimitiveList/{name}"), json!(gone));
    }
    if !added.is_empty() {
        patch.insert(name.to_owned(), json!(added));
    }
    patch.insert(format!("$setElementOrder/{name}"), json!(new));
}

fn diff_objects(
    patch: &mut Map<String, Value>,
    name: &str,
    (old, new): (&[Value], &[Value]),
    key: &str,
    of: Option<TypeRef<'_>>,
) {
    let mut list = Vec::new();
    for item in new {
        match old.iter().find(|o| o.get(key) == item.get(key)) {
            None => list.push(item.clone()),
            Some(old) if old == item => {}
            Some(old) => {
                let mut change = diff(of, old, item);
                change[key] = item[key].clone();
                list.push(change);
            }
        }
    }
    for item in old
        .iter()
        .filter(|o| !new.iter().any(|n| n.get(key) == o.get(key)))
    {
        list.push(json!({key: item[key], "$patch": "delete"}));
    }
    let order: Vec<Value> = new.iter().map(|item| json!({key: item[key]})).collect();
    patch.insert(format!("$setElementOrder/{name}"), order.into());
    patch.insert(name.to_owned(), list.into());
}
