//! Requests and limits. Upstream: validateResourceRequirements.

use super::check::Check;
use crate::json::{Object, object};
use k8s::names::label_key_problems;
use serde_json::Value;
use units::Quantity;

pub(super) fn requirements(check: &mut Check, resources: &Value, path: &str) {
    let limits = object(resources, "limits");
    amounts(check, limits, &format!("{path}.limits"));
    let requests = object(resources, "requests");
    amounts(check, requests, &format!("{path}.requests"));
    for (name, request) in requests.into_iter().flatten() {
        compare(
            check,
            name,
            request,
            limits.and_then(|limits| limits.get(name)),
            path,
        );
    }
}

fn amounts(check: &mut Check, list: Option<&Object>, path: &str) {
    for (name, value) in list.into_iter().flatten() {
        let field = format!("{path}[{name}]");
        self::name(check, name, &field);
        let Some(amount) = quantity(value) else {
            continue;
        };
        if amount.sign() < 0 {
            check.invalid(&field, value, "must be greater than or equal to 0");
        }
        let whole = name.contains('/') && !is_native(name);
        if whole && amount.milli_value() % 1000 != 0 {
            check.invalid(&field, value, "must be an integer");
        }
    }
}

fn name(check: &mut Check, name: &str, field: &str) {
    let problems = label_key_problems(name);
    if !problems.is_empty() {
        check.sentences(field, name, problems);
    } else if !name.contains('/') && !is_standard(name) {
        check.invalid_text(
            field,
            name,
            "must be a standard resource type or fully qualified",
        );
        check.invalid_text(field, name, "must be a standard resource for containers");
    }
}

fn is_standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether a request may be below its limit.
fn overcommits(name: &str) -> bool {
    is_native(name) && !name.starts_with("hugepages-")
}

fn compare(check: &mut Check, name: &str, request: &Value, limit: Option<&Value>, path: &str) {
    let Some(limit) = limit else {
        if !overcommits(name) {
            check.required(
                format!("{path}.limits"),
                "Limit must be set for non overcommitable resources",
            );
        }
        return;
    };
    let (Some(asked), Some(allowed)) = (quantity(request), quantity(limit)) else {
        return;
    };
    let field = format!("{path}.requests");
    if !overcommits(name) && asked != allowed {
        check.invalid(
            field,
            request,
            format!("must be equal to {name} limit of {allowed}"),
        );
    } else if exceeds(&asked, &allowed) {
        let words = format!("must be less than or equal to {name} limit of {allowed}");
        check.invalid(field, request, words);
    }
}

/// Compares in thousandths where they fit and as floats where they do not.
fn exceeds(asked: &Quantity, allowed: &Quantity) -> bool {
    const FITS: f64 = 9e15;
    let (a, b) = (asked.approximate_f64(), allowed.approximate_f64());
    if a.abs() < FITS && b.abs() < FITS {
        asked.milli_value() > allowed.milli_value()
    } else {
        a > b
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    value.as_str()?.parse().ok()
}
