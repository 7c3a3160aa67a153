//! Deployments, ReplicaSets, StatefulSets, DaemonSets. Upstream: pkg/apis/apps/validation.

use super::check::{Check, percent};
use super::{pods, selectors, volumes};
use crate::json::{at, has, int, object, text};
use k8s::selector::LabelSelector;
use serde_json::Value;

/// What a StatefulSet's spec may change.
const STATEFUL_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

pub(super) fn workload(check: &mut Check, resource: &str, object: &Value, old: Option<&Value>) {
    let spec = at(object, "spec");
    match resource {
        "deployments" => deployment(check, spec),
        "replicasets" => replica_set(check, spec),
        "statefulsets" => stateful_set(check, spec),
        "daemonsets" => daemon_set(check, spec),
        _ => return,
    }
    let Some(old) = old.map(|old| at(old, "spec")) else {
        return;
    };
    if resource == "statefulsets" {
        stateful_set_update(check, old, spec);
    } else {
        check.immutable("spec.selector", at(old, "selector"), at(spec, "selector"));
    }
}

fn deployment(check: &mut Check, spec: &Value) {
    check.not_negative(spec, "replicas", "spec");
    selector_and_template(check, spec, "deployment");
    strategy(check, at(spec, "strategy"));
    for key in [
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ] {
        check.not_negative(spec, key, "spec");
    }
    let ready = int(spec, "minReadySeconds").unwrap_or_default();
    if int(spec, "progressDeadlineSeconds").is_some_and(|deadline| deadline <= ready) {
        check.invalid(
            "spec.progressDeadlineSeconds",
            at(spec, "progressDeadlineSeconds"),
            "must be greater than minReadySeconds",
        );
    }
}

fn replica_set(check: &mut Check, spec: &Value) {
    check.not_negative(spec, "replicas", "spec");
    check.not_negative(spec, "minReadySeconds", "spec");
    selector_and_template(check, spec, "deployment");
}

/// A selector that is there and selects the template's labels, and a template that runs for ever.
fn selector_and_template(check: &mut Check, spec: &Value, kind: &str) {
    let selector = at(spec, "selector");
    if selector.is_null() {
        check.required("spec.selector", "");
    } else {
        selectors::selector(check, selector, "spec.selector");
        if selectors::is_empty(selector) {
            let words = format!("empty selector is invalid for {kind}");
            check.invalid("spec.selector", selector, words);
        }
    }
    let template = at(spec, "template");
    match LabelSelector::from_object(selector) {
        Ok(parsed) if parsed.is_empty() => {}
        Ok(parsed) => matches_template(check, &parsed, template, "spec.template"),
        Err(_) => return check.invalid("spec.selector", selector, "invalid label selector"),
    }
    pods::template(
        check,
        template,
        &volumes::claim_names(spec),
        "spec.template",
    );
    always_restarts(check, template);
    if has(template, "spec.activeDeadlineSeconds") {
        let set = match kind {
            "statefulset" => "StatefulSet",
            "daemonset" => "DaemonSet",
            _ => "ReplicaSet",
        };
        check.forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            &format!("activeDeadlineSeconds in {set} is not Supported"),
        );
    }
}

pub(super) fn matches_template(
    check: &mut Check,
    selector: &LabelSelector,
    template: &Value,
    path: &str,
) {
    let labels = at(template, "metadata.labels");
    if !selector.matches(labels) {
        let field = format!("{path}.metadata.labels");
        check.invalid(field, labels, "`selector` does not match template `labels`");
    }
}

fn always_restarts(check: &mut Check, template: &Value) {
    let policy = text(template, "spec.restartPolicy");
    check.one_of("spec.template.spec.restartPolicy", policy, &["Always"]);
}

fn strategy(check: &mut Check, strategy: &Value) {
    let rolling = at(strategy, "rollingUpdate");
    match text(strategy, "type") {
        "Recreate" if !rolling.is_null() => check.forbidden(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
        ),
        "Recreate" => {}
        "RollingUpdate" => rolling_update(check, rolling, "spec.strategy.rollingUpdate"),
        _ => check.extend(vec![k8s::status::FieldError::not_supported(
            "spec.strategy",
            strategy,
            &["Recreate", "RollingUpdate"],
        )]),
    }
}

fn rolling_update(check: &mut Check, rolling: &Value, path: &str) {
    let (unavailable, surge) = (at(rolling, "maxUnavailable"), at(rolling, "maxSurge"));
    let field = format!("{path}.maxUnavailable");
    check.int_or_percent(&field, unavailable);
    check.int_or_percent(&format!("{path}.maxSurge"), surge);
    if is_none(unavailable) && is_none(surge) {
        check.invalid(&field, unavailable, "may not be 0 when `maxSurge` is 0");
    }
    check.at_most_all(&field, unavailable);
}

fn is_none(value: &Value) -> bool {
    value
        .as_i64()
        .or_else(|| percent(value))
        .unwrap_or_default()
        == 0
}

fn stateful_set(check: &mut Check, spec: &Value) {
    let policy = text(spec, "podManagementPolicy");
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let words = "must be 'OrderedReady' or 'Parallel'";
        check.invalid_text("spec.podManagementPolicy", policy, words);
    }
    let strategy = at(spec, "updateStrategy");
    match text(strategy, "type") {
        "OnDelete" if has(strategy, "rollingUpdate") => check.invalid(
            "spec.updateStrategy.rollingUpdate",
            at(strategy, "rollingUpdate"),
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
        "OnDelete" | "RollingUpdate" => {}
        _ => check.invalid(
            "spec.updateStrategy",
            strategy,
            "must be 'RollingUpdate' or 'OnDelete'",
        ),
    }
    for key in ["replicas", "minReadySeconds"] {
        check.not_negative(spec, key, "spec");
    }
    if !text(spec, "serviceName").is_empty() {
        check.label_required("spec.serviceName", text(spec, "serviceName"));
    }
    selector_and_template(check, spec, "statefulset");
}

fn stateful_set_update(check: &mut Check, old: &Value, new: &Value) {
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        return;
    };
    let changed = before
        .keys()
        .chain(after.keys())
        .filter(|key| !STATEFUL_SET.contains(&key.as_str()))
        .any(|key| before.get(key) != after.get(key));
    if changed {
        check.forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    }
}

fn daemon_set(check: &mut Check, spec: &Value) {
    selector_and_template(check, spec, "daemonset");
    for key in ["minReadySeconds", "revisionHistoryLimit"] {
        check.not_negative(spec, key, "spec");
    }
    let strategy = at(spec, "updateStrategy");
    match text(strategy, "type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let path = "spec.updateStrategy.rollingUpdate";
            let rolling = at(strategy, "rollingUpdate");
            for key in ["maxUnavailable", "maxSurge"] {
                check.int_or_percent(&format!("{path}.{key}"), at(rolling, key));
                check.at_most_all(&format!("{path}.{key}"), at(rolling, key));
            }
        }
        other => {
            check.one_of(
                "spec.updateStrategy.type",
                other,
                &["RollingUpdate", "OnDelete"],
            );
        }
    }
}

/// Upstream: ValidateReplicationControllerSpec.
pub(super) fn replication_controller(check: &mut Check, controller: &Value) {
    let spec = at(controller, "spec");
    check.not_negative(spec, "minReadySeconds", "spec");
    check.not_negative(spec, "replicas", "spec");
    let Some(selector) = object(spec, "selector").filter(|selector| !selector.is_empty()) else {
        return check.required("spec.selector", "");
    };
    let template = at(spec, "template");
    if template.is_null() {
        return check.required("spec.template", "");
    }
    let selector = LabelSelector::from_map(selector);
    matches_template(check, &selector, template, "spec.template");
    pods::template(check, template, &[], "spec.template");
    always_restarts(check, template);
}
