//! The generation of a DaemonSet's template, which v1 keeps in an annotation.
//!
//! Upstream: pkg/apis/apps/v1/conversion.go and pkg/registry/apps/daemonset/strategy.go.

use crate::json::{at, ensure_object};
use serde_json::Value;

const ANNOTATION: &str = "deprecated.daemonset.template.generation";

pub(super) fn prepare_create(set: &mut Value) {
    put(set, 1);
}

pub(super) fn prepare_update(old: &Value, new: &mut Value) {
    let before = at(old, "metadata.annotations")
        .get(ANNOTATION)
        .and_then(Value::as_str);
    let before: i64 = before.and_then(|text| text.parse().ok()).unwrap_or(1);
    let changed = at(old, "spec.template") != at(new, "spec.template");
    put(new, before + i64::from(changed));
}

fn put(set: &mut Value, generation: i64) {
    if let Some(annotations) = ensure_object(set, "metadata.annotations") {
        annotations.insert(ANNOTATION.to_owned(), generation.to_string().into());
    }
}
