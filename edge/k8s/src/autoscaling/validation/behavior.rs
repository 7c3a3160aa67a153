//! Scaling rules and policies.
//!
//! Upstream: validateBehavior, validateScalingRules, validateScalingPolicy.

use super::metric::read;
use crate::status::FieldError;
use k8s_openapi::api::autoscaling::v2::{
    HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscalerBehavior,
};
use serde_json::json;

const PERIOD_MAX: i32 = 1800;
const WINDOW_MAX: i32 = 3600;
const SELECT_POLICIES: [&str; 3] = ["Disabled", "Max", "Min"];
const POLICY_TYPES: [&str; 2] = ["Percent", "Pods"];

pub(super) fn check(
    behavior: Option<&HorizontalPodAutoscalerBehavior>,
    errors: &mut Vec<FieldError>,
) {
    let Some(behavior) = behavior else { return };
    for (name, rules) in [
        ("scaleUp", &behavior.scale_up),
        ("scaleDown", &behavior.scale_down),
    ] {
        if let Some(rules) = rules {
            check_rules(rules, &format!("spec.behavior.{name}"), errors);
        }
    }
}

fn check_rules(rules: &HPAScalingRules, field: &str, errors: &mut Vec<FieldError>) {
    if let Some(window) = rules.stabilization_window_seconds {
        let field = format!("{field}.stabilizationWindowSeconds");
        if window < 0 {
            let detail = "must be greater than or equal to zero";
            errors.push(FieldError::invalid(field.as_str(), &json!(window), detail));
        }
        if window > WINDOW_MAX {
            let detail = format!("must be less than or equal to {WINDOW_MAX}");
            errors.push(FieldError::invalid(field, &json!(window), detail));
        }
    }
    if let Some(select) = rules
        .select_policy
        .as_deref()
        .filter(|s| !SELECT_POLICIES.contains(s))
    {
        let field = format!("{field}.selectPolicy");
        errors.push(FieldError::not_supported(
            field,
            &json!(select),
            &SELECT_POLICIES,
        ));
    }
    let policies = rules.policies.as_deref().unwrap_or_default();
    if policies.is_empty() {
        errors.push(FieldError::required(
            format!("{field}.policies"),
            "must specify at least one Policy",
        ));
    }
    for (index, policy) in policies.iter().enumerate() {
        check_policy(policy, &format!("{field}.policies[{index}]"), errors);
    }
    if let Some((printed, -1)) = rules.tolerance.as_ref().map(read) {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(
            format!("{field}.tolerance"),
            &printed,
            detail,
        ));
    }
}

fn check_policy(policy: &HPAScalingPolicy, field: &str, errors: &mut Vec<FieldError>) {
    if !POLICY_TYPES.contains(&policy.type_.as_str()) {
        let field = format!("{field}.type");
        errors.push(FieldError::not_supported(
            field,
            &json!(policy.type_),
            &POLICY_TYPES,
        ));
    }
    for (name, value) in [
        ("value", policy.value),
        ("periodSeconds", policy.period_seconds),
    ] {
        if value <= 0 {
            let detail = "must be greater than zero";
            errors.push(FieldError::invalid(
                format!("{field}.{name}"),
                &json!(value),
                detail,
            ));
        }
    }
    if policy.period_seconds > PERIOD_MAX {
        let detail = format!("must be less than or equal to {PERIOD_MAX}");
        errors.push(FieldError::invalid(
            format!("{field}.periodSeconds"),
            &json!(policy.period_seconds),
            detail,
        ));
    }
}
