//! Metrics and their targets.
//!
//! Upstream: validateMetrics and what it calls.

use super::names;
use super::reference::{self, ApiVersionRule};
use crate::status::FieldError;
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec,
    MetricTarget,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::{Value, json};

const TYPES: [&str; 5] = [
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];

pub(super) fn check_all(
    spec: &HorizontalPodAutoscalerSpec,
    described: ApiVersionRule,
    errors: &mut Vec<FieldError>,
) {
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    for (index, metric) in metrics.iter().enumerate() {
        check(metric, &format!("spec.metrics[{index}]"), described, errors);
    }
    let without_pods = metrics
        .iter()
        .any(|m| m.type_ == "Object" || m.type_ == "External");
    if spec.min_replicas == Some(0) && !without_pods {
        errors.push(FieldError::forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
        ));
    }
}

fn check(
    metric: &MetricSpec,
    field: &str,
    described: ApiVersionRule,
    errors: &mut Vec<FieldError>,
) {
    let kind = metric.type_.as_str();
    let type_field = format!("{field}.type");
    if kind.is_empty() {
        errors.push(FieldError::required(
            type_field.as_str(),
            "must specify a metric source type",
        ));
    }
    if !TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(
            type_field.as_str(),
            &json!(kind),
            &TYPES,
        ));
    }
    let present = sources_present(metric);
    // Only the first source that is there is looked into.
    if let Some(first) = present.first() {
        check_source(
            metric,
            first,
            &format!("{field}.{first}"),
            described,
            errors,
        );
    }
    let expected = source_field(kind);
    match expected {
        // Upstream says it twice: once before looking at the sources, once after.
        None => errors.push(FieldError::not_supported(type_field, &json!(kind), &TYPES)),
        Some(name) if !present.contains(&name) => errors.push(FieldError::required(
            format!("{field}.{name}"),
            "must populate information for the given metric source",
        )),
        Some(_) => {}
    }
    if present.len() != 1 {
        for name in present.iter().filter(|name| Some(**name) != expected) {
            errors.push(FieldError::forbidden(
                format!("{field}.{name}"),
                "must populate the given metric source only",
            ));
        }
    }
}

fn source_field(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Object" => "object",
        "External" => "external",
        "Pods" => "pods",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return None,
    })
}

fn sources_present(metric: &MetricSpec) -> Vec<&'static str> {
    [
        ("object", metric.object.is_some()),
        ("external", metric.external.is_some()),
        ("pods", metric.pods.is_some()),
        ("resource", metric.resource.is_some()),
        ("containerResource", metric.container_resource.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

fn check_source(
    metric: &MetricSpec,
    source: &str,
    field: &str,
    described: ApiVersionRule,
    errors: &mut Vec<FieldError>,
) {
    let target_field = format!("{field}.target");
    match source {
        "object" => {
            let Some(object) = &metric.object else { return };
            let about = format!("{field}.describedObject");
            reference::check(&object.described_object, &about, described, errors);
            identifier(&object.metric, field, errors);
            target(&object.target, &target_field, errors);
            if object.target.value.is_none() && object.target.average_value.is_none() {
                let detail = "must set either a target value or averageValue";
                errors.push(FieldError::required(
                    format!("{target_field}.averageValue"),
                    detail,
                ));
            }
        }
        "external" => {
            let Some(external) = &metric.external else {
                return;
            };
            identifier(&external.metric, field, errors);
            external_target(&external.target, &target_field, errors);
        }
        "pods" => {
            let Some(pods) = &metric.pods else { return };
            identifier(&pods.metric, field, errors);
            target(&pods.target, &target_field, errors);
            if pods.target.average_value.is_none() {
                let detail = "must specify a positive target averageValue";
                errors.push(FieldError::required(
                    format!("{target_field}.averageValue"),
                    detail,
                ));
            }
        }
        "resource" => {
            let Some(resource) = &metric.resource else {
                return;
            };
            if resource.name.is_empty() {
                errors.push(FieldError::required(
                    format!("{field}.name"),
                    "must specify a resource name",
                ));
            }
            resource_target(&resource.target, &target_field, errors);
        }
        _ => {
            let Some(resource) = &metric.container_resource else {
                return;
            };
            container_names(resource, field, errors);
            resource_target(&resource.target, &target_field, errors);
        }
    }
}

fn container_names(
    resource: &ContainerResourceMetricSource,
    field: &str,
    errors: &mut Vec<FieldError>,
) {
    if resource.name.is_empty() {
        errors.push(FieldError::required(
            format!("{field}.name"),
            "must specify a resource name",
        ));
    }
    for problem in names::container_resource(&resource.name) {
        if !resource.name.is_empty() {
            errors.push(FieldError::invalid(
                format!("{field}.name"),
                &json!(resource.name),
                problem,
            ));
        }
    }
    if resource.container.is_empty() {
        errors.push(FieldError::required(
            format!("{field}.container"),
            "must specify a container",
        ));
        return;
    }
    for problem in names::dns_label(&resource.container) {
        errors.push(FieldError::invalid(
            format!("{field}.container"),
            &json!(resource.container),
            problem,
        ));
    }
}

fn external_target(wanted: &MetricTarget, field: &str, errors: &mut Vec<FieldError>) {
    target(wanted, field, errors);
    match (&wanted.value, &wanted.average_value) {
        (None, None) => errors.push(FieldError::required(
            format!("{field}.averageValue"),
            "must set either a target value for metric or a per-pod target",
        )),
        (Some(_), Some(_)) => errors.push(FieldError::forbidden(
            format!("{field}.value"),
            "may not set both a target value for metric and a per-pod target",
        )),
        _ => {}
    }
}

fn resource_target(wanted: &MetricTarget, field: &str, errors: &mut Vec<FieldError>) {
    target(wanted, field, errors);
    match (&wanted.average_utilization, &wanted.average_value) {
        (None, None) => errors.push(FieldError::required(
            format!("{field}.averageUtilization"),
            "must set either a target raw value or a target utilization",
        )),
        (Some(_), Some(_)) => errors.push(FieldError::forbidden(
            format!("{field}.averageValue"),
            "may not set both a target raw value and a target utilization",
        )),
        _ => {}
    }
}

/// Upstream: validateMetricTarget.
fn target(target: &MetricTarget, field: &str, errors: &mut Vec<FieldError>) {
    let type_field = format!("{field}.type");
    if target.type_.is_empty() {
        errors.push(FieldError::required(
            type_field.as_str(),
            "must specify a metric target type",
        ));
    }
    if !["Utilization", "Value", "AverageValue"].contains(&target.type_.as_str()) {
        let detail = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(
            type_field,
            &json!(target.type_),
            detail,
        ));
    }
    for (name, value) in [
        ("value", &target.value),
        ("averageValue", &target.average_value),
    ] {
        if let Some((printed, sign)) = value.as_ref().map(read)
            && sign != 1
        {
            errors.push(FieldError::invalid(
                format!("{field}.{name}"),
                &printed,
                "must be positive",
            ));
        }
    }
    if let Some(utilization) = target.average_utilization.filter(|u| *u < 1) {
        let name = format!("{field}.averageUtilization");
        errors.push(FieldError::invalid(
            name,
            &json!(utilization),
            "must be greater than 0",
        ));
    }
}

/// A quantity as it prints, and its sign. What is no quantity was refused when it was decoded.
pub(super) fn read(quantity: &Quantity) -> (Value, i32) {
    match quantity.0.trim().parse::<units::Quantity>() {
        Ok(parsed) => (json!(parsed.to_string()), parsed.sign()),
        Err(_) => (json!(quantity.0), 1),
    }
}

fn identifier(metric: &MetricIdentifier, field: &str, errors: &mut Vec<FieldError>) {
    let field = format!("{field}.metric.name");
    if metric.name.is_empty() {
        errors.push(FieldError::required(field, "must specify a metric name"));
        return;
    }
    for problem in names::path_segment(&metric.name) {
        errors.push(FieldError::invalid(
            field.as_str(),
            &json!(metric.name),
            problem,
        ));
    }
}
