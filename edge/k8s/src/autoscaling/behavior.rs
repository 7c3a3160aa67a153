//! The behavior annotation: upstream marshals its internal type, whose fields have no JSON names.
//!
//! Upstream: pkg/apis/autoscaling/v1/conversion.go, "this is marshaling an internal type".

use super::go_json;
use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Behavior {
    scale_up: Option<Rules>,
    scale_down: Option<Rules>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Rules {
    stabilization_window_seconds: Option<i32>,
    select_policy: Option<String>,
    policies: Option<Vec<Policy>>,
    tolerance: Option<Quantity>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    r#type: String,
    value: i32,
    period_seconds: i32,
}

const FIELDS: [&str; 9] = [
    "ScaleUp",
    "ScaleDown",
    "StabilizationWindowSeconds",
    "SelectPolicy",
    "Policies",
    "Tolerance",
    "Type",
    "Value",
    "PeriodSeconds",
];

/// The annotation's text.
pub(super) fn to_annotation(behavior: &v2::HorizontalPodAutoscalerBehavior) -> String {
    go_json::write(&Behavior {
        scale_up: behavior.scale_up.clone().map(Rules::from),
        scale_down: behavior.scale_down.clone().map(Rules::from),
    })
}

/// What the annotation says; nothing when it is no JSON or says nothing.
pub(super) fn from_annotation(text: &str) -> Option<v2::HorizontalPodAutoscalerBehavior> {
    let behavior: Behavior = go_json::read(text, &FIELDS, &[])?;
    if behavior.scale_up.is_none() && behavior.scale_down.is_none() {
        return None;
    }
    Some(v2::HorizontalPodAutoscalerBehavior {
        scale_up: behavior.scale_up.map(Into::into),
        scale_down: behavior.scale_down.map(Into::into),
    })
}

impl From<v2::HPAScalingRules> for Rules {
    fn from(rules: v2::HPAScalingRules) -> Self {
        Self {
            stabilization_window_seconds: rules.stabilization_window_seconds,
            select_policy: rules.select_policy,
            policies: rules
                .policies
                .map(|list| list.into_iter().map(Policy::from).collect()),
            tolerance: rules.tolerance,
        }
    }
}

impl From<Rules> for v2::HPAScalingRules {
    fn from(rules: Rules) -> Self {
        Self {
            stabilization_window_seconds: rules.stabilization_window_seconds,
            select_policy: rules.select_policy,
            policies: rules
                .policies
                .map(|list| list.into_iter().map(Into::into).collect()),
            tolerance: rules.tolerance,
        }
    }
}

impl From<v2::HPAScalingPolicy> for Policy {
    fn from(policy: v2::HPAScalingPolicy) -> Self {
        Self {
            r#type: policy.type_,
            value: policy.value,
            period_seconds: policy.period_seconds,
        }
    }
}

impl From<Policy> for v2::HPAScalingPolicy {
    fn from(policy: Policy) -> Self {
        Self {
            type_: policy.r#type,
            value: policy.value,
            period_seconds: policy.period_seconds,
        }
    }
}
