//! Pods and pod templates. Upstream: ValidatePodSpec, ValidatePodUpdate.

use super::check::Check;
use super::{containers, metadata, volumes};
use crate::json::{at, has, int, items, object, text};
use k8s::names::{label_key_problems, label_value_problems, subdomain_problems};
use serde_json::Value;

const CHANGEABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn pod(check: &mut Check, pod: &Value, old: Option<&Value>) {
    spec(check, at(pod, "spec"), &[], "spec");
    match old {
        None => {
            if !items(pod, "spec.ephemeralContainers").is_empty() {
                check.forbidden("spec.ephemeralContainers", "cannot be set on create");
            }
            let gated = !items(pod, "spec.schedulingGates").is_empty();
            if gated && !text(pod, "spec.nodeName").is_empty() {
                let words = "cannot be set until all schedulingGates have been cleared";
                check.forbidden("spec.nodeName", words);
            }
        }
        Some(old) => update(check, at(old, "spec"), at(pod, "spec")),
    }
}

/// A template in a workload; `claims` are volumes that a StatefulSet adds.
pub(super) fn template(check: &mut Check, template: &Value, claims: &[&str], path: &str) {
    let labels = object(template, "metadata.labels");
    metadata::labels(check, labels, &format!("{path}.labels"));
    let annotations = object(template, "metadata.annotations");
    metadata::annotations(check, annotations, &format!("{path}.annotations"));
    spec(check, at(template, "spec"), claims, &format!("{path}.spec"));
    if !items(template, "spec.ephemeralContainers").is_empty() {
        check.forbidden(
            format!("{path}.spec.ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

fn spec(check: &mut Check, spec: &Value, claims: &[&str], path: &str) {
    let mut names = volumes::volumes(check, spec, path);
    names.extend_from_slice(claims);
    containers::regular(check, spec, &names, path);
    containers::init(check, spec, &names, path);
    check.one_of_required(
        format!("{path}.restartPolicy"),
        text(spec, "restartPolicy"),
        &["Always", "OnFailure", "Never"],
    );
    check.one_of_required(
        format!("{path}.dnsPolicy"),
        text(spec, "dnsPolicy"),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    metadata::labels(
        check,
        object(spec, "nodeSelector"),
        &format!("{path}.nodeSelector"),
    );
    for key in [
        "serviceAccountName",
        "nodeName",
        "priorityClassName",
        "runtimeClassName",
    ] {
        let name = text(spec, key);
        if !name.is_empty() {
            check.sentences(&format!("{path}.{key}"), name, subdomain_problems(name));
        }
    }
    if int(spec, "activeDeadlineSeconds").is_some_and(|s| !(1..=i64::from(i32::MAX)).contains(&s)) {
        check.invalid(
            format!("{path}.activeDeadlineSeconds"),
            at(spec, "activeDeadlineSeconds"),
            "must be between 1 and 2147483647, inclusive",
        );
    }
    for key in ["hostname", "subdomain"] {
        if !text(spec, key).is_empty() {
            check.label_required(&format!("{path}.{key}"), text(spec, key));
        }
    }
    tolerations(check, items(spec, "tolerations"), path);
}

fn tolerations(check: &mut Check, tolerations: &[Value], path: &str) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = format!("{path}.tolerations[{index}]");
        let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
        if !key.is_empty() {
            check.sentences(&format!("{path}.key"), key, label_key_problems(key));
        } else if operator != "Exists" {
            check.invalid_text(format!("{path}.operator"), operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        }
        let (effect, value) = (text(toleration, "effect"), text(toleration, "value"));
        if has(toleration, "tolerationSeconds") && effect != "NoExecute" {
            let words = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            check.invalid_text(format!("{path}.effect"), effect, words);
        }
        let field = format!("{path}.operator");
        match operator {
            "" | "Equal" => {
                let problems = label_value_problems(value);
                if !problems.is_empty() {
                    check.invalid_text(field, value, problems.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                check.invalid_text(
                    field,
                    value,
                    "value must be empty when `operator` is 'Exists'",
                );
            }
            "Exists" => {}
            other => check.one_of(field, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            check.one_of(format!("{path}.effect"), effect, &effects);
        }
    }
}

/// Most of a pod stays as it was made.
fn update(check: &mut Check, old: &Value, new: &Value) {
    for key in ["containers", "initContainers"] {
        if items(old, key).len() != items(new, key).len() {
            let words = "pod updates may not add or remove containers";
            return check.forbidden(format!("spec.{key}"), words);
        }
        for (index, container) in items(new, key).iter().enumerate() {
            let image = text(container, "image");
            if image.trim() != image {
                check.invalid_text(
                    format!("spec.{key}[{index}].image"),
                    image,
                    "must not have leading or trailing whitespace",
                );
            }
        }
    }
    deadline(check, old, new);
    only_added_tolerations(check, old, new);
    if old != new && !same_but_for_changeable(old, new) {
        check.forbidden("spec", CHANGEABLE);
    }
}

fn deadline(check: &mut Check, old: &Value, new: &Value) {
    const FIELD: &str = "spec.activeDeadlineSeconds";
    let (before, after) = (
        int(old, "activeDeadlineSeconds"),
        int(new, "activeDeadlineSeconds"),
    );
    match (before, after) {
        (Some(before), Some(after)) if before < after => {
            check.invalid(
                FIELD,
                &after.into(),
                "must be less than or equal to previous value",
            );
        }
        (Some(_), None) => {
            let words = "must not update from a positive integer to nil value";
            check.invalid(FIELD, &Value::Null, words);
        }
        _ => {}
    }
}

fn only_added_tolerations(check: &mut Check, old: &Value, new: &Value) {
    let same = |a: &Value, b: &Value| {
        ["key", "operator", "value", "effect"]
            .iter()
            .all(|key| text(a, key) == text(b, key))
    };
    let kept = items(old, "tolerations").iter().all(|before| {
        items(new, "tolerations")
            .iter()
            .any(|after| same(before, after))
    });
    if !kept {
        check.forbidden(
            "spec.tolerations",
            "existing toleration can not be modified except its tolerationSeconds",
        );
    }
}

fn same_but_for_changeable(old: &Value, new: &Value) -> bool {
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        return false;
    };
    let changeable = |key: &str| {
        matches!(
            key,
            "activeDeadlineSeconds" | "tolerations" | "schedulingGates" | "ephemeralContainers"
        ) || (key == "terminationGracePeriodSeconds"
            && int(old, key).is_some_and(|grace| grace < 0)
            && int(new, key) == Some(1))
    };
    let keys = before
        .keys()
        .chain(after.keys())
        .filter(|key| !changeable(key));
    keys.into_iter().all(|key| match key.as_str() {
        "containers" | "initContainers" => items(old, key)
            .iter()
            .zip(items(new, key))
            .all(|(a, b)| same_but_for_image(a, b)),
        _ => before.get(key) == after.get(key),
    })
}

fn same_but_for_image(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return old == new;
    };
    old.keys()
        .chain(new.keys())
        .filter(|key| !matches!(key.as_str(), "image" | "resources"))
        .all(|key| old.get(key) == new.get(key))
        && old.get("resources") == new.get("resources")
}
