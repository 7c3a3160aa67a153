//! What the API server fills in.
//!
//! Upstream: pkg/apis/autoscaling/v2/defaults.go and v1/defaults.go. Quantities are rewritten in their
//! canonical form here too, because a decode and encode upstream does that.

use super::DEFAULT_CPU_UTILIZATION;
use serde_json::{Map, Value, json};

/// Fills in an autoscaling/v1 HorizontalPodAutoscaler. (Its cpu target comes with the conversion.)
pub fn default_v1(object: &mut Value) {
    if let Some(spec) = child(object, "spec") {
        set_if_absent(spec, "minReplicas", 1.into());
    }
    if let Some(status) = child(object, "status") {
        set_if_absent(status, "currentReplicas", 0.into());
        set_if_absent(status, "desiredReplicas", 0.into());
    }
}

/// Fills in an autoscaling/v2 HorizontalPodAutoscaler.
pub fn default_v2(object: &mut Value) {
    super::convert::take_annotations(object);
    if let Some(spec) = child(object, "spec") {
        set_if_absent(spec, "minReplicas", 1.into());
        default_metrics(spec);
        if let Some(behavior) = spec.get_mut("behavior") {
            default_behavior(behavior);
        }
    }
    if let Some(status) = child(object, "status") {
        set_if_absent(status, "desiredReplicas", 0.into());
        status.entry("currentMetrics").or_insert(Value::Null);
        if let Some(metrics) = status
            .get_mut("currentMetrics")
            .and_then(Value::as_array_mut)
        {
            for metric in metrics {
                canonicalize_sources(metric, "current");
            }
        }
    }
}

fn default_metrics(spec: &mut Map<String, Value>) {
    match spec.get_mut("metrics") {
        Some(Value::Array(metrics)) if !metrics.is_empty() => {
            for metric in metrics {
                canonicalize_sources(metric, "target");
            }
        }
        // Something that is no list is refused by the schema, not covered up here.
        Some(other) if !other.is_null() && !other.is_array() => {}
        _ => {
            spec.insert(
                "metrics".to_owned(),
                json!([{"type": "Resource", "resource": {"name": "cpu", "target":
                    {"type": "Utilization", "averageUtilization": DEFAULT_CPU_UTILIZATION}}}]),
            );
        }
    }
}

/// Upstream: SetDefaults_HorizontalPodAutoscalerBehavior.
fn default_behavior(behavior: &mut Value) {
    let Some(map) = behavior.as_object_mut() else {
        return;
    };
    let up = json!([
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]);
    let down = json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]);
    if let Some(rules) = object_entry(map, "scaleUp") {
        set_if_absent(rules, "stabilizationWindowSeconds", 0.into());
        default_rules(rules, up);
    }
    // No window for scaling down: it comes from the controller's flag.
    if let Some(rules) = object_entry(map, "scaleDown") {
        default_rules(rules, down);
    }
}

fn default_rules(rules: &mut Map<String, Value>, policies: Value) {
    set_if_absent(rules, "selectPolicy", "Max".into());
    set_if_absent(rules, "policies", policies);
    if let Some(tolerance) = rules.get_mut("tolerance") {
        canonicalize(tolerance);
    }
}

/// The named child as an object, created when absent; nothing when it is something else.
fn child<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    object_entry(object.as_object_mut()?, name)
}

fn object_entry<'a>(
    map: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    let entry = map.entry(name).or_insert(Value::Null);
    if entry.is_null() {
        *entry = json!({});
    }
    entry.as_object_mut()
}

fn set_if_absent(map: &mut Map<String, Value>, name: &str, value: Value) {
    let entry = map.entry(name).or_insert(Value::Null);
    if entry.is_null() {
        *entry = value;
    }
}

/// Rewrites the quantities of every source of a metric (`target`) or of its status (`current`).
fn canonicalize_sources(metric: &mut Value, part: &str) {
    for source in [
        "object",
        "pods",
        "resource",
        "containerResource",
        "external",
    ] {
        let Some(values) = metric.get_mut(source).and_then(|s| s.get_mut(part)) else {
            continue;
        };
        for name in ["value", "averageValue"] {
            if let Some(quantity) = values.get_mut(name) {
                canonicalize(quantity);
            }
        }
    }
}

/// Numbers are allowed where quantities are; what is no quantity is left for the schema to refuse.
fn canonicalize(value: &mut Value) {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Ok(quantity) = text.parse::<units::Quantity>() {
        *value = quantity.to_string().into();
    }
}
