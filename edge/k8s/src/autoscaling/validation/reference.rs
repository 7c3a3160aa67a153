//! References to other objects.
//!
//! Upstream: ValidateCrossVersionObjectReference, ValidateAPIVersion.

use super::names;
use crate::status::FieldError;
use k8s_openapi::api::autoscaling::v2::CrossVersionObjectReference;
use serde_json::json;

/// What a reference's apiVersion must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiVersionRule {
    Any,
    GroupOptional,
    GroupRequired,
}

impl ApiVersionRule {
    /// What is wrong with an apiVersion.
    pub(super) fn problem(self, api_version: &str) -> Option<String> {
        if self == Self::Any {
            return None;
        }
        let group = match api_version.split('/').collect::<Vec<_>>().as_slice() {
            [_] | ["", ""] => "",
            [group, _] => group,
            _ => return Some(format!("unexpected GroupVersion string: {api_version}")),
        };
        (self == Self::GroupRequired && group.is_empty())
            .then(|| "apiVersion must specify API group".to_owned())
    }
}

pub(super) fn check(
    reference: &CrossVersionObjectReference,
    field: &str,
    rule: ApiVersionRule,
    errors: &mut Vec<FieldError>,
) {
    for (name, value) in [("kind", &reference.kind), ("name", &reference.name)] {
        let field = format!("{field}.{name}");
        if value.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else {
            for problem in names::path_segment(value) {
                errors.push(FieldError::invalid(field.as_str(), &json!(value), problem));
            }
        }
    }
    let api_version = reference.api_version.as_deref().unwrap_or_default();
    if let Some(problem) = rule.problem(api_version) {
        errors.push(FieldError::invalid(
            format!("{field}.apiVersion"),
            &json!(api_version),
            problem,
        ));
    }
}
