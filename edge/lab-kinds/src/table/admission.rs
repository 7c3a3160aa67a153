//! Group `admissionregistration.k8s.io`.

use super::{age, name, selector};
use crate::json::{at, has, items, text};
use jiff::Timestamp;
use serde_json::Value;

pub(super) fn cells(resource: &str, object: &Value, now: Timestamp) -> Vec<Value> {
    match resource {
        "validatingadmissionpolicies" => policy(object, "spec.validations", now),
        "mutatingadmissionpolicies" => policy(object, "spec.mutations", now),
        "validatingadmissionpolicybindings" | "mutatingadmissionpolicybindings" => vec![
            name(object),
            text(object, "spec.policyName").into(),
            parameter(at(object, "spec.paramRef")).into(),
            age(object, now),
        ],
        _ => vec![
            name(object),
            items(object, "webhooks").len().into(),
            age(object, now),
        ],
    }
}

fn policy(object: &Value, rules: &str, now: Timestamp) -> Vec<Value> {
    let kind = if has(object, "spec.paramKind") {
        let kind = at(object, "spec.paramKind");
        format!("{}/{}", text(kind, "apiVersion"), text(kind, "kind"))
    } else {
        "<unset>".to_owned()
    };
    vec![
        name(object),
        items(object, rules).len().into(),
        kind.into(),
        age(object, now),
    ]
}

fn parameter(reference: &Value) -> String {
    match (text(reference, "namespace"), text(reference, "name")) {
        (_, "") if has(reference, "selector") => selector(at(reference, "selector")),
        (_, "") => "<unset>".to_owned(),
        ("", name) => format!("*/{name}"),
        (namespace, name) => format!("{namespace}/{name}"),
    }
}
