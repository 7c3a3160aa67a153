//! HorizontalPodAutoscalers. Upstream: printHorizontalPodAutoscaler, formatHPAMetrics.

use super::{age, name, number};
use crate::json::{at, has, int, items, text};
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;

/// How many metrics the TARGETS column shows.
const SHOWN: usize = 2;

pub(super) fn cells(version: &str, object: &Value, now: Timestamp) -> Vec<Value> {
    let object: Cow<'_, Value> = if version == "v1" {
        // Upstream prints the internal form, which is v2's.
        k8s::autoscaling::v1_to_v2(object.clone()).map_or(Cow::Borrowed(object), Cow::Owned)
    } else {
        Cow::Borrowed(object)
    };
    let object = object.as_ref();
    let target = at(object, "spec.scaleTargetRef");
    let minimum =
        int(object, "spec.minReplicas").map_or_else(|| "<unset>".to_owned(), |n| n.to_string());
    vec![
        name(object),
        format!("{}/{}", text(target, "kind"), text(target, "name")).into(),
        metrics(object).into(),
        minimum.into(),
        number(object, "spec.maxReplicas"),
        number(object, "status.currentReplicas"),
        age(object, now),
    ]
}

fn metrics(object: &Value) -> String {
    let specs = items(object, "spec.metrics");
    let statuses = items(object, "status.currentMetrics");
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
    match text(spec, "type") {
        "Resource" => resource(at(spec, "resource"), at(status, "resource")),
        "ContainerResource" => resource(
            at(spec, "containerResource"),
            at(status, "containerResource"),
        ),
        "Pods" => {
            let (spec, status) = (at(spec, "pods"), at(status, "pods"));
            let current = present(status, "averageValue");
            format!("{current}/{}", quantity(at(spec, "target.averageValue")))
        }
        "Object" => value_or_average(at(spec, "object"), at(status, "object")),
        "External" => value_or_average(at(spec, "external"), at(status, "external")),
        _ => "<unknown type>".to_owned(),
    }
}

fn resource(spec: &Value, status: &Value) -> String {
    let name = text(spec, "name");
    if has(spec, "target.averageValue") {
        let current = present(status, "averageValue");
        return format!(
            "{name}: {current}/{}",
            quantity(at(spec, "target.averageValue"))
        );
    }
    let percent = |value: &Value, path: &str, none: &str| {
        int(value, path).map_or_else(|| none.to_owned(), |percent| format!("{percent}%"))
    };
    let current = percent(status, "current.averageUtilization", "<unknown>");
    let target = percent(spec, "target.averageUtilization", "<auto>");
    format!("{name}: {current}/{target}")
}

fn value_or_average(spec: &Value, status: &Value) -> String {
    if has(spec, "target.averageValue") {
        let current = if has(status, "current.averageValue") {
            quantity(at(status, "current.averageValue"))
        } else {
            "<unknown>".to_owned()
        };
        format!(
            "{current}/{} (avg)",
            quantity(at(spec, "target.averageValue"))
        )
    } else {
        let current = present(status, "value");
        format!("{current}/{}", quantity(at(spec, "target.value")))
    }
}

/// The current value once there is a status; a status without it prints a nil quantity.
fn present(status: &Value, field: &str) -> String {
    if status.is_null() {
        return "<unknown>".to_owned();
    }
    match at(status, "current").get(field) {
        Some(value) => quantity(value),
        None => "<nil>".to_owned(),
    }
}

fn quantity(value: &Value) -> String {
    crate::defaults::canonical_quantity(value).unwrap_or_else(|| "<nil>".to_owned())
}
