//! Metrics beside their targets, as `kubectl get hpa` shows them: `cpu: 37%/50%`.
//!
//! Upstream: pkg/printers/internalversion/printers.go, formatHPAMetrics (v1.36).

use serde_json::Value;

/// How many metrics are shown.
const SHOWN: usize = 2;

/// The text for an autoscaling/v2 HorizontalPodAutoscaler.
pub fn targets(object: &Value) -> String {
    let list = |path: &str| object.pointer(path).and_then(Value::as_array);
    let specs = list("/spec/metrics").map_or(&[][..], Vec::as_slice);
    let statuses = list("/status/currentMetrics").map_or(&[][..], Vec::as_slice);
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let shown: Vec<String> = specs
        .iter()
        .take(SHOWN)
        .enumerate()
        .map(|(index, spec)| metric(spec, statuses.get(index).unwrap_or(&Value::Null)))
        .collect();
    let list = shown.join(", ");
    if specs.len() > SHOWN {
        format!("{list} + {} more...", specs.len() - SHOWN)
    } else {
        list
    }
}

fn metric(spec: &Value, status: &Value) -> String {
    match spec["type"].as_str().unwrap_or_default() {
        "Resource" => resource(&spec["resource"], &status["resource"]),
        "ContainerResource" => resource(&spec["containerResource"], &status["containerResource"]),
        "Pods" => {
            let (spec, status) = (&spec["pods"], &status["pods"]);
            let current = present(status, "averageValue");
            format!("{current}/{}", quantity(&spec["target"]["averageValue"]))
        }
        "Object" => value_or_average(&spec["object"], &status["object"]),
        "External" => value_or_average(&spec["external"], &status["external"]),
        _ => "<unknown type>".to_owned(),
    }
}

fn resource(spec: &Value, status: &Value) -> String {
    let name = spec["name"].as_str().unwrap_or_default();
    let average = &spec["target"]["averageValue"];
    if !average.is_null() {
        let current = present(status, "averageValue");
        return format!("{name}: {current}/{}", quantity(average));
    }
    let percent = |value: &Value, none: &str| {
        let percent = value["averageUtilization"].as_i64();
        percent.map_or_else(|| none.to_owned(), |percent| format!("{percent}%"))
    };
    let current = percent(&status["current"], "<unknown>");
    let target = percent(&spec["target"], "<auto>");
    format!("{name}: {current}/{target}")
}

fn value_or_average(spec: &Value, status: &Value) -> String {
    let average = &spec["target"]["averageValue"];
    if !average.is_null() {
        let current = match &status["current"]["averageValue"] {
            Value::Null => "<unknown>".to_owned(),
            value => quantity(value),
        };
        format!("{current}/{} (avg)", quantity(average))
    } else {
        let current = present(status, "value");
        format!("{current}/{}", quantity(&spec["target"]["value"]))
    }
}

/// The current value once there is a status; a status without it prints a nil quantity.
fn present(status: &Value, field: &str) -> String {
    if status.is_null() {
        return "<unknown>".to_owned();
    }
    match status["current"].get(field) {
        Some(value) => quantity(value),
        None => "<nil>".to_owned(),
    }
}

fn quantity(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return "<nil>".to_owned(),
    };
    let parsed = text.parse::<units::Quantity>();
    parsed.map_or_else(|_| "<nil>".to_owned(), |quantity| quantity.to_string())
}
