//! Label selectors in specs. Upstream: apimachinery/pkg/apis/meta/v1/validation.

use super::check::Check;
use super::metadata;
use crate::json::{items, object, text};
use k8s::names::{label_key_problems, label_value_problems};
use serde_json::Value;

pub(super) fn selector(check: &mut Check, selector: &Value, path: &str) {
    metadata::labels(
        check,
        object(selector, "matchLabels"),
        &format!("{path}.matchLabels"),
    );
    for (index, expression) in items(selector, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = items(expression, "values");
        match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => check.required(
                format!("{path}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            ),
            "Exists" | "DoesNotExist" if !values.is_empty() => check.forbidden(
                format!("{path}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => check.invalid_text(
                format!("{path}.operator"),
                other,
                "not a valid selector operator",
            ),
        }
        let key = text(expression, "key");
        check.sentences(&format!("{path}.key"), key, label_key_problems(key));
        for (index, value) in values.iter().filter_map(Value::as_str).enumerate() {
            let field = format!("{path}.values[{index}]");
            check.sentences(&field, value, label_value_problems(value));
        }
    }
}

/// Whether the selector says nothing, and so selects everything.
pub(super) fn is_empty(selector: &Value) -> bool {
    object(selector, "matchLabels").is_none_or(serde_json::Map::is_empty)
        && items(selector, "matchExpressions").is_empty()
}
