//! Namespaces, nodes, claims, budgets, classes, leases.

use super::check::Check;
use super::selectors;
use crate::json::{at, has, int, items, text};
use k8s::names::label_key_problems;
use serde_json::Value;

/// Finalizers that namespaces may have without a domain.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

pub(super) fn namespace(check: &mut Check, namespace: &Value) {
    for finalizer in items(namespace, "spec.finalizers")
        .iter()
        .filter_map(Value::as_str)
    {
        check.sentences("spec.finalizers", finalizer, label_key_problems(finalizer));
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer) {
            let words = "name is neither a standard finalizer name nor is it fully qualified";
            check.invalid_text("spec.finalizers", finalizer, words);
        }
    }
}

pub(super) fn namespace_status(check: &mut Check, namespace: &Value) {
    let phase = text(namespace, "status.phase");
    let deleted = has(namespace, "metadata.deletionTimestamp");
    let (expected, when) = if deleted {
        ("Terminating", "is not empty")
    } else {
        ("Active", "is empty")
    };
    if phase != expected {
        let words = format!("may only be '{expected}' if `deletionTimestamp` {when}");
        check.invalid_text("status.Phase", phase, words);
    }
}

/// Upstream: ValidateNode.
pub(super) fn node(check: &mut Check, node: &Value) {
    for (index, taint) in items(node, "spec.taints").iter().enumerate() {
        let path = format!("spec.taints[{index}]");
        let key = text(taint, "key");
        check.sentences(&format!("{path}.key"), key, label_key_problems(key));
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        check.one_of_required(format!("{path}.effect"), text(taint, "effect"), &effects);
    }
}

/// Upstream: ValidatePersistentVolumeClaimSpec and its update.
pub(super) fn claim(check: &mut Check, claim: &Value, old: Option<&Value>) {
    let spec = at(claim, "spec");
    if items(spec, "accessModes").is_empty() {
        check.required("spec.accessModes", "at least 1 access mode is required");
    }
    for mode in items(spec, "accessModes").iter().filter_map(Value::as_str) {
        let modes = [
            "ReadOnlyMany",
            "ReadWriteMany",
            "ReadWriteOnce",
            "ReadWriteOncePod",
        ];
        check.one_of("spec.accessModes", mode, &modes);
    }
    if !has(spec, "resources.requests.storage") {
        check.required("spec.resources[storage]", "");
    }
    let Some(old) = old.map(|old| at(old, "spec")) else {
        return;
    };
    let changed = ["accessModes", "selector", "storageClassName", "volumeMode"]
        .iter()
        .any(|key| at(old, key) != at(spec, key));
    let moved =
        !text(old, "volumeName").is_empty() && at(old, "volumeName") != at(spec, "volumeName");
    if changed || moved {
        check.forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
    }
}

/// Upstream: ValidatePodDisruptionBudgetSpec.
pub(super) fn disruption_budget(check: &mut Check, budget: &Value) {
    let spec = at(budget, "spec");
    if has(spec, "minAvailable") && has(spec, "maxUnavailable") {
        check.invalid(
            "spec",
            spec,
            "minAvailable and maxUnavailable cannot be both set",
        );
    }
    for key in ["minAvailable", "maxUnavailable"] {
        let field = format!("spec.{key}");
        check.int_or_percent(&field, at(spec, key));
        check.at_most_all(&field, at(spec, key));
    }
    selectors::selector(check, at(spec, "selector"), "spec.selector");
}

/// Upstream: ValidatePriorityClass and its update.
pub(super) fn priority_class(check: &mut Check, class: &Value, old: Option<&Value>) {
    const HIGHEST: i64 = 1_000_000_000;
    let name = text(class, "metadata.name");
    let system = matches!(name, "system-node-critical" | "system-cluster-critical");
    if name.starts_with("system-") && !system {
        check.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: name is not a known system priority class");
    } else if !system && int(class, "value").unwrap_or_default() > HIGHEST {
        check.forbidden(
            "value",
            "maximum allowed value of a user defined priority is 1000000000",
        );
    }
    let policies = ["Never", "PreemptLowerPriority"];
    check.one_of_required(
        "preemptionPolicy".to_owned(),
        text(class, "preemptionPolicy"),
        &policies,
    );
    if let Some(old) = old {
        if at(old, "value") != at(class, "value") {
            check.forbidden("value", "may not be changed in an update.");
        }
        let key = "preemptionPolicy";
        check.immutable(key, at(old, key), at(class, key));
    }
}

/// Upstream: ValidateLeaseSpec.
pub(super) fn lease(check: &mut Check, lease: &Value) {
    let spec = at(lease, "spec");
    if int(spec, "leaseDurationSeconds").is_some_and(|seconds| seconds <= 0) {
        let value = at(spec, "leaseDurationSeconds");
        check.invalid("spec.leaseDurationSeconds", value, "must be greater than 0");
    }
    if int(spec, "leaseTransitions").is_some_and(|count| count < 0) {
        let value = at(spec, "leaseTransitions");
        check.invalid(
            "spec.leaseTransitions",
            value,
            "must be greater than or equal to 0",
        );
    }
}
