//! Lists: how many elements, each of them, and that none is there twice.

use super::{Check, Place, limit};
use k8s::status::FieldError;
use serde_json::{Map, Value};

impl Check<'_> {
    pub(super) fn list(
        &mut self,
        schema: &Value,
        place: &Place,
        (old, items): (Option<&Value>, &[Value]),
    ) {
        if let Some(min) = limit(schema, "minItems").filter(|min| items.len() < *min) {
            let words = format!("should have at least {min} items");
            self.breaks(place, &Value::Array(items.to_vec()), &words);
        }
        if let Some(max) = limit(schema, "maxItems").filter(|max| items.len() > *max) {
            self.too_many(place, items.len(), max);
        }
        let keys = keys(schema);
        for (at, item) in items.iter().enumerate() {
            let before = keys.as_ref().and_then(|keys| {
                let old = old?.as_array()?.iter();
                let mut old = old.filter(|one| key(keys, one) == key(keys, item));
                old.next()
            });
            self.value(&schema["items"], &place.item(at), (before, item));
        }
        self.unique(schema, place, items);
    }

    fn unique(&mut self, schema: &Value, place: &Place, items: &[Value]) {
        let set = schema["x-kubernetes-list-type"] == "set" || schema["uniqueItems"] == true;
        let keys = keys(schema);
        if !set && keys.is_none() {
            return;
        }
        for (at, item) in items.iter().enumerate() {
            let same = |other: &Value| match &keys {
                Some(keys) => key(keys, other) == key(keys, item),
                None => other == item,
            };
            if items[..at].iter().any(same) {
                let shown = match &keys {
                    Some(keys) => Value::Object(key(keys, item)),
                    None => item.clone(),
                };
                let field = place.item(at).path;
                self.errors.push(FieldError::duplicate(field, &shown));
            }
        }
    }
}

/// The keys of a list that is a map.
fn keys(schema: &Value) -> Option<Vec<&str>> {
    if schema["x-kubernetes-list-type"] != "map" {
        return None;
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
    Some(keys.iter().filter_map(Value::as_str).collect())
}

fn key(keys: &[&str], item: &Value) -> Map<String, Value> {
    let found = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), item.get(key)?.clone())));
    found.collect()
}
