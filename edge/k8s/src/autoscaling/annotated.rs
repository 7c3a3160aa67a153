//! Metrics, their statuses and conditions as autoscaling/v1 writes them into annotations.
//!
//! The structs' field order is the order in the annotation's text.
//! Upstream: api/autoscaling/v1/types.go; pkg/apis/autoscaling/v1/conversion.go.

use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, Time,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod source;
mod status;

/// Every field's name, for reading keys in any case.
pub(super) const FIELDS: [&str; 30] = [
    "type",
    "object",
    "pods",
    "resource",
    "containerResource",
    "external",
    "target",
    "metricName",
    "targetValue",
    "selector",
    "averageValue",
    "targetAverageValue",
    "targetAverageUtilization",
    "name",
    "container",
    "metricSelector",
    "currentValue",
    "currentAverageValue",
    "currentAverageUtilization",
    "kind",
    "apiVersion",
    "status",
    "lastTransitionTime",
    "reason",
    "message",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
    "values",
];
/// The map whose keys are nobody's field names.
pub(super) const EXACT: [&str; 1] = ["matchLabels"];

/// A metric's specification.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetricSpec {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<PodsSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ResourceSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_resource: Option<ContainerResourceSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<ExternalSource>,
}

/// A label selector, in Go's field order.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    #[serde(skip_serializing_if = "Option::is_none")]
    match_labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    match_expressions: Option<Vec<LabelSelectorRequirement>>,
}

impl From<LabelSelector> for Selector {
    fn from(s: LabelSelector) -> Self {
        Self {
            match_labels: s.match_labels,
            match_expressions: s.match_expressions,
        }
    }
}

impl From<Selector> for LabelSelector {
    fn from(s: Selector) -> Self {
        Self {
            match_labels: s.match_labels,
            match_expressions: s.match_expressions,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reference {
    kind: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    api_version: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectSource {
    target: Reference,
    metric_name: String,
    target_value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_value: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodsSource {
    metric_name: String,
    target_average_value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceSource {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_utilization: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_value: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerResourceSource {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_utilization: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_value: Option<Quantity>,
    container: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExternalSource {
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_value: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetricStatus {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<PodsStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ResourceStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_resource: Option<ContainerResourceStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<ExternalStatus>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectStatus {
    target: Reference,
    metric_name: String,
    current_value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_value: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodsStatus {
    metric_name: String,
    current_average_value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceStatus {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_average_utilization: Option<i32>,
    current_average_value: Number,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerResourceStatus {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_average_utilization: Option<i32>,
    current_average_value: Number,
    container: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExternalStatus {
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_selector: Option<Selector>,
    current_value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_average_value: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Condition {
    r#type: String,
    status: String,
    /// `null` when never set, as Go writes a zero time.
    last_transition_time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

/// A quantity that is no pointer upstream: absent reads as 0 and 0 is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Number(Quantity);

impl Default for Number {
    fn default() -> Self {
        Self(Quantity("0".to_owned()))
    }
}

impl From<Option<Quantity>> for Number {
    fn from(quantity: Option<Quantity>) -> Self {
        quantity.map(Self).unwrap_or_default()
    }
}

impl Number {
    fn is_zero(&self) -> bool {
        self.0
            .0
            .parse::<units::Quantity>()
            .is_ok_and(|q| q.sign() == 0)
    }
}

impl From<v2::CrossVersionObjectReference> for Reference {
    fn from(r: v2::CrossVersionObjectReference) -> Self {
        Self {
            kind: r.kind,
            name: r.name,
            api_version: r.api_version.unwrap_or_default(),
        }
    }
}

impl From<Reference> for v2::CrossVersionObjectReference {
    fn from(r: Reference) -> Self {
        let api_version = (!r.api_version.is_empty()).then_some(r.api_version);
        Self {
            kind: r.kind,
            name: r.name,
            api_version,
        }
    }
}

impl From<v2::HorizontalPodAutoscalerCondition> for Condition {
    fn from(c: v2::HorizontalPodAutoscalerCondition) -> Self {
        Self {
            r#type: c.type_,
            status: c.status,
            last_transition_time: c
                .last_transition_time
                .map(|t| t.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            reason: c.reason.unwrap_or_default(),
            message: c.message.unwrap_or_default(),
        }
    }
}

impl From<Condition> for v2::HorizontalPodAutoscalerCondition {
    fn from(c: Condition) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            type_: c.r#type,
            status: c.status,
            last_transition_time: c
                .last_transition_time
                .and_then(|t| t.parse().ok())
                .map(Time),
            reason: some(c.reason),
            message: some(c.message),
        }
    }
}
