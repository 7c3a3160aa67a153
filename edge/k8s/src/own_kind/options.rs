//! Options: fields of our specification, annotations of an autoscaling/v2 object.
//!
//! What the annotations mean is not said here.

use serde_json::{Map, Value};

/// Fields whose value is the annotation's.
const PLAIN: [(&str, &str); 9] = [
    ("paused", "evenkeel.dev/paused"),
    ("freeze", "evenkeel.dev/freeze"),
    ("dryRun", "evenkeel.dev/dry-run"),
    ("syncPeriod", "evenkeel.dev/sync-period"),
    (
        "initialReadinessDelay",
        "evenkeel.dev/initial-readiness-delay",
    ),
    (
        "cpuInitializationPeriod",
        "evenkeel.dev/cpu-initialization-period",
    ),
    (
        "downscaleStabilization",
        "evenkeel.dev/downscale-stabilization",
    ),
    ("tolerance", "evenkeel.dev/tolerance"),
    ("metricMaxAge", "evenkeel.dev/metric-max-age"),
];
/// Fields whose words the annotation has in small letters.
const WORDS: [(&str, &str); 2] = [
    ("podSelection", "evenkeel.dev/pod-selection"),
    ("podsWithoutRequests", "evenkeel.dev/pods-without-requests"),
];
const FALLBACK: &str = "evenkeel.dev/fallback";
const FALLBACK_MAX_AGE: &str = "evenkeel.dev/fallback-max-age";
const LAST_KNOWN_GOOD: &str = "last-known-good";

/// Takes the options out of a specification and gives them as annotations.
pub(super) fn take(spec: &mut Map<String, Value>) -> Map<String, Value> {
    let mut notes = Map::new();
    for (field, annotation) in PLAIN {
        if let Some(text) = spec.remove(field).as_ref().and_then(text) {
            notes.insert(annotation.to_owned(), text.into());
        }
    }
    for (field, annotation) in WORDS {
        if let Some(Value::String(word)) = spec.remove(field) {
            notes.insert(annotation.to_owned(), word.to_ascii_lowercase().into());
        }
    }
    if let Some(fallback) = spec.remove("fallback") {
        notes.extend(of_fallback(&fallback));
    }
    notes
}

fn of_fallback(fallback: &Value) -> Map<String, Value> {
    let mut notes = Map::new();
    if let Some(replicas) = text(&fallback["replicas"]) {
        notes.insert(FALLBACK.to_owned(), replicas.into());
    } else if fallback["lastKnownGood"].is_object() {
        notes.insert(FALLBACK.to_owned(), LAST_KNOWN_GOOD.into());
        if let Some(age) = text(&fallback["lastKnownGood"]["maxAge"]) {
            notes.insert(FALLBACK_MAX_AGE.to_owned(), age.into());
        }
    }
    notes
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
