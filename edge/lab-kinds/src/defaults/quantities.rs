//! Quantities print in canonical form, rounded up to thousandths.
//!
//! Upstream: Quantity.UnmarshalJSON and SetDefaults_ResourceList.

use crate::json::{Object, child_mut};
use serde_json::Value;
use units::Quantity;

/// The canonical text of a quantity; none if the value is no quantity.
pub(super) fn canonical(value: &Value) -> Option<String> {
    let parse = |text: &str| text.parse::<Quantity>().ok().map(|q| q.to_string());
    match value {
        Value::String(text) => parse(text.trim()),
        Value::Number(number) => parse(&number.to_string()),
        _ => None,
    }
}

/// Makes every quantity of the list under `key` canonical.
pub(super) fn list(object: &mut Object, key: &str) {
    for value in child_mut(object, key)
        .into_iter()
        .flat_map(|list| list.values_mut())
    {
        if let Some(text) = canonical(value) {
            *value = Value::String(text);
        }
    }
}

/// `requests` and `limits` of a container, a claim or a pod.
pub(super) fn requirements(object: &mut Object, key: &str) {
    if let Some(resources) = child_mut(object, key) {
        list(resources, "limits");
        list(resources, "requests");
    }
}
