//! The version in which objects are stored, and conversion between versions and groups.
//!
//! Two kinds are served under more than one name: HorizontalPodAutoscaler (autoscaling/v1 and v2)
//! and Event (v1 and events.k8s.io/v1). Upstream: pkg/apis/{autoscaling,events}/v1/conversion.go.

#[cfg(test)]
mod tests;

use crate::json::{Object, default_missing, empty};
use k8s::status::ApiError;
use serde_json::Value;

/// The group and version in which objects of a resource are kept; all but these two are kept as
/// they are served. Both groups of events share their objects.
pub fn storage_version(group: &str, resource: &str) -> Option<(&'static str, &'static str)> {
    match (group, resource) {
        ("autoscaling", "horizontalpodautoscalers") => Some(("autoscaling", "v2")),
        ("events.k8s.io" | "", "events") => Some(("", "v1")),
        _ => None,
    }
}

/// The same object under another `apiVersion`.
pub fn convert(from: &str, to: &str, kind: &str, object: Value) -> Result<Value, ApiError> {
    if from == to {
        return Ok(object);
    }
    match (kind, from, to) {
        ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2") => {
            k8s::autoscaling::v1_to_v2(object)
        }
        ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1") => {
            k8s::autoscaling::v2_to_v1(object)
        }
        ("Event", "v1", "events.k8s.io/v1") => Ok(renamed(object, to, |core, new| (core, new))),
        ("Event", "events.k8s.io/v1", "v1") => Ok(renamed(object, to, |core, new| (new, core))),
        _ => Err(ApiError::internal(format!(
            "{kind} cannot be converted from {from} to {to}"
        ))),
    }
}

/// What the fields of an event are called in v1 and in events.k8s.io/v1.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

type Names = (&'static str, &'static str);

fn renamed(
    mut event: Value,
    api_version: &str,
    direction: impl Fn(&'static str, &'static str) -> Names,
) -> Value {
    if let Some(fields) = event.as_object_mut() {
        for (core, new) in EVENT_FIELDS {
            let (from, to) = direction(core, new);
            if let Some(value) = fields.remove(from) {
                fields.insert(to.to_owned(), value);
            }
        }
        fields.insert("apiVersion".to_owned(), api_version.into());
        always_there(fields, api_version);
    }
    event
}

/// Members that upstream prints even when they are empty.
fn always_there(event: &mut Object, api_version: &str) {
    event.entry("eventTime").or_insert(Value::Null);
    for (core, new) in [EVENT_FIELDS[0], EVENT_FIELDS[2]] {
        default_missing(event, if api_version == "v1" { core } else { new }, empty());
    }
    for (core, new) in [EVENT_FIELDS[3], EVENT_FIELDS[4]] {
        event
            .entry(if api_version == "v1" { core } else { new })
            .or_insert(Value::Null);
    }
    if api_version == "v1" {
        default_missing(event, "reportingComponent", "");
        default_missing(event, "reportingInstance", "");
    }
}
