//! Conditions of definitions.
//!
//! Upstream: apiextensions-apiserver/pkg/apihelpers/helpers.go.

use crate::verbs::create::timestamp;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A condition to set.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) kind: &'static str,
    pub(super) status: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Condition {
    pub(super) fn new(
        kind: &'static str,
        status: bool,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            status,
            reason,
            message: message.into(),
        }
    }
}

/// Whether a condition is true.
pub(super) fn is_true(definition: &Value, kind: &str) -> bool {
    let all = definition["status"]["conditions"].as_array();
    let mut all = all.into_iter().flatten();
    all.any(|one| one["type"] == kind && one["status"] == "True")
}

/// Sets a condition; its time changes with its status only.
pub(super) fn set(definition: &mut Value, condition: &Condition, now: Timestamp) {
    let status = if condition.status { "True" } else { "False" };
    let mut new = json!({
        "type": condition.kind, "status": status, "lastTransitionTime": timestamp(now),
        "reason": condition.reason, "message": condition.message,
    });
    if !definition["status"]["conditions"].is_array() {
        definition["status"]["conditions"] = json!([]);
    }
    let Some(all) = definition["status"]["conditions"].as_array_mut() else {
        return;
    };
    match all.iter_mut().find(|one| one["type"] == condition.kind) {
        Some(old) => {
            if old["status"] == new["status"] {
                new["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            *old = new;
        }
        None => all.push(new),
    }
}
