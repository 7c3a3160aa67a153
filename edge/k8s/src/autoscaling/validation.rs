//! What the API server refuses, in its words.
//!
//! Upstream: pkg/apis/autoscaling/validation/validation.go; options from
//! pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go. Metadata is not checked here: its rules
//! are the same for every kind.

use crate::status::FieldError;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscalerSpec, MetricSpec, ObjectMetricSource,
};
use serde_json::{Value, json};

mod behavior;
mod metric;
mod names;
mod reference;

pub(crate) use names::LABEL;
use reference::ApiVersionRule;

/// Checks a new HorizontalPodAutoscaler (autoscaling/v2, defaulted).
pub fn validate(object: &Value, scale_to_zero_allowed: bool) -> Vec<FieldError> {
    check(object, None, scale_to_zero_allowed)
}

/// Checks a changed HorizontalPodAutoscaler; what was already wrong in some fields is tolerated.
pub fn validate_update(new: &Value, old: &Value, scale_to_zero_allowed: bool) -> Vec<FieldError> {
    check(new, Some(old), scale_to_zero_allowed)
}

/// What is asked less strictly because of the old object. Upstream: validationOptionsForHorizontalPodAutoscaler.
struct Options {
    min_replicas_lower_bound: i32,
    target: ApiVersionRule,
    described: ApiVersionRule,
}

fn check(object: &Value, old: Option<&Value>, scale_to_zero_allowed: bool) -> Vec<FieldError> {
    let spec = match spec_of(object) {
        Ok(spec) => spec,
        Err(error) => {
            return vec![FieldError::invalid(
                "spec",
                &object["spec"],
                error.to_string(),
            )];
        }
    };
    let old = old.and_then(|o| spec_of(o).ok());
    check_spec(&spec, &options(&spec, old.as_ref(), scale_to_zero_allowed))
}

fn spec_of(object: &Value) -> Result<HorizontalPodAutoscalerSpec, serde_json::Error> {
    match object.get("spec") {
        None | Some(Value::Null) => Ok(HorizontalPodAutoscalerSpec::default()),
        Some(spec) => serde::Deserialize::deserialize(spec),
    }
}

fn options(
    new: &HorizontalPodAutoscalerSpec,
    old: Option<&HorizontalPodAutoscalerSpec>,
    scale_to_zero_allowed: bool,
) -> Options {
    let zero_before = old.is_some_and(|o| o.min_replicas == Some(0));
    let same_target = old.is_some_and(|o| {
        api_version(&o.scale_target_ref) == api_version(&new.scale_target_ref)
            && o.scale_target_ref.kind == new.scale_target_ref.kind
    });
    let target = if same_target {
        ApiVersionRule::Any
    } else if new.scale_target_ref.kind == "ReplicationController" {
        ApiVersionRule::GroupOptional
    } else {
        ApiVersionRule::GroupRequired
    };
    let invalid_before = old
        .and_then(|o| o.metrics.as_ref())
        .is_some_and(|m| m.iter().any(describes_badly));
    Options {
        min_replicas_lower_bound: if scale_to_zero_allowed || zero_before {
            0
        } else {
            1
        },
        target,
        described: if invalid_before {
            ApiVersionRule::Any
        } else {
            ApiVersionRule::GroupOptional
        },
    }
}

fn describes_badly(metric: &MetricSpec) -> bool {
    let described: Option<&ObjectMetricSource> =
        metric.object.as_ref().filter(|_| metric.type_ == "Object");
    described.is_some_and(|o| {
        ApiVersionRule::GroupOptional
            .problem(api_version(&o.described_object))
            .is_some()
    })
}

fn api_version(reference: &CrossVersionObjectReference) -> &str {
    reference.api_version.as_deref().unwrap_or_default()
}

/// Upstream: validateHorizontalPodAutoscalerSpec.
fn check_spec(spec: &HorizontalPodAutoscalerSpec, options: &Options) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let bound = options.min_replicas_lower_bound;
    if let Some(min) = spec.min_replicas.filter(|min| *min < bound) {
        let detail = format!("must be greater than or equal to {bound}");
        errors.push(FieldError::invalid("spec.minReplicas", &json!(min), detail));
    }
    let max = spec.max_replicas;
    if max == 0 {
        errors.push(FieldError::required(
            "spec.maxReplicas",
            "must be set and greater than 0",
        ));
    } else if max < 0 {
        let detail = "must be greater than or equal to 1";
        errors.push(FieldError::invalid("spec.maxReplicas", &json!(max), detail));
    }
    if spec.min_replicas.is_some_and(|min| max < min) {
        let detail = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", &json!(max), detail));
    }
    reference::check(
        &spec.scale_target_ref,
        "spec.scaleTargetRef",
        options.target,
        &mut errors,
    );
    metric::check_all(spec, options.described, &mut errors);
    behavior::check(spec.behavior.as_ref(), &mut errors);
    errors
}
