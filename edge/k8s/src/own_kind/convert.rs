//! Ours ↔ autoscaling/v2.

use super::{ADOPTED_FROM, API_VERSION, HANDOVER, KIND, options};
use crate::autoscaling::{default_v2, history};
use serde_json::{Map, Value, json};

const PLAIN_VERSION: &str = "autoscaling/v2";
/// What kubectl keeps of what was applied; of another kind it would be wrong.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Metadata that users give.
const GIVEN: [&str; 5] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "ownerReferences",
];

/// An object of ours as everybody who decides takes it: autoscaling/v2, defaulted, with the options and what is
/// remembered as annotations. Only in memory.
pub fn to_plain(own: &Value) -> Value {
    let mut object = own.clone();
    if !object.is_object() {
        object = json!({});
    }
    object["apiVersion"] = PLAIN_VERSION.into();
    object["kind"] = KIND.into();
    let mut notes = match object.get_mut("spec") {
        Some(Value::Object(spec)) => options::take(spec),
        _ => Map::new(),
    };
    if let Some(text) = own["status"]["history"].as_str() {
        notes.insert(history::ANNOTATION.to_owned(), text.into());
    }
    drop_notes(&mut object, &[history::ANNOTATION]);
    add_notes(&mut object, notes);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    default_v2(&mut object);
    if let Some(Value::Object(status)) = object.get_mut("status") {
        status.remove("observedGeneration");
    }
    object
}

/// An object of ours as an autoscaling/v2 object to create: without status, and without what only moving it needed.
pub fn into_plain(own: &Value) -> Value {
    let mut plain = to_plain(own);
    drop_notes(&mut plain, &[history::ANNOTATION, ADOPTED_FROM, HANDOVER]);
    to_create(&plain, PLAIN_VERSION)
}

/// An object of ours, to create, that says what an autoscaling/v2 object says.
pub fn from_plain(plain: &Value) -> Value {
    let mut plain = plain.clone();
    drop_notes(&mut plain, &[history::ANNOTATION, LAST_APPLIED]);
    to_create(&plain, API_VERSION)
}

fn to_create(object: &Value, api_version: &str) -> Value {
    let metadata = GIVEN.iter().filter_map(|name| {
        let value = object["metadata"].get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    json!({
        "apiVersion": api_version,
        "kind": KIND,
        "metadata": metadata.collect::<Map<_, _>>(),
        "spec": object["spec"],
    })
}

fn add_notes(object: &mut Value, notes: Map<String, Value>) {
    if notes.is_empty() {
        return;
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let there = &mut object["metadata"]["annotations"];
    match there {
        Value::Object(there) => there.extend(notes),
        _ => *there = notes.into(),
    }
}

/// Takes annotations out; no empty list of them is left.
fn drop_notes(object: &mut Value, names: &[&str]) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(Value::Object(notes)) = metadata.get_mut("annotations") {
        notes.retain(|name, _| !names.contains(&name.as_str()));
        if notes.is_empty() {
            metadata.remove("annotations");
        }
    }
}
