//! Names, labels, annotations, owners. Upstream: apimachinery/pkg/api/validation/objectmeta.go.

use super::check::Check;
use crate::json::{Object, at, flag, items, object, text};
use crate::resources::{Resource, split_api_version};
use k8s::names::{
    label_key_problems, label_problems, label_value_problems, path_segment_problems,
    subdomain_problems,
};
use serde_json::Value;

const ANNOTATIONS_LIMIT: usize = 256 * 1024;

pub(super) fn of_new(check: &mut Check, resource: &Resource, new: &Value) {
    let problems = name_rule(resource);
    let base = text(new, "metadata.generateName");
    if !base.is_empty() {
        check.sentences("metadata.generateName", base, problems(&without_dash(base)));
    }
    let name = text(new, "metadata.name");
    if name.is_empty() {
        check.required("metadata.name", "name or generateName is required");
    } else {
        check.sentences("metadata.name", name, problems(name));
    }
    let namespace = text(new, "metadata.namespace");
    if resource.namespaced {
        check.label_required("metadata.namespace", namespace);
    } else if !namespace.is_empty() {
        check.forbidden("metadata.namespace", "not allowed on this type");
    }
    common(check, at(new, "metadata"));
    for finalizer in items(new, "metadata.finalizers")
        .iter()
        .filter_map(Value::as_str)
    {
        check.sentences(
            "metadata.finalizers",
            finalizer,
            label_key_problems(finalizer),
        );
    }
}

/// A base may end in a dash, which the suffix follows. Upstream: maskTrailingDash.
fn without_dash(base: &str) -> String {
    match base.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => base.to_owned(),
    }
}

fn name_rule(resource: &Resource) -> fn(&str) -> Vec<String> {
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "namespaces" | "services") | ("apps", "statefulsets") => label_problems,
        ("rbac.authorization.k8s.io", _) | ("apiregistration.k8s.io", _) => path_segment_problems,
        _ => subdomain_problems,
    }
}

/// Metadata after a change. Upstream: ValidateObjectMetaAccessorUpdate.
pub(super) fn of_update(check: &mut Check, old: &Value, new: &Value) {
    let (old, new) = (at(old, "metadata"), at(new, "metadata"));
    if !at(old, "deletionTimestamp").is_null() {
        no_new_finalizers(check, old, new);
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        check.immutable(&format!("metadata.{key}"), at(old, key), at(new, key));
    }
    common(check, new);
}

fn no_new_finalizers(check: &mut Check, old: &Value, new: &Value) {
    let before = items(old, "finalizers");
    let mut added: Vec<String> = items(new, "finalizers")
        .iter()
        .filter(|finalizer| !before.contains(finalizer))
        .map(ToString::to_string)
        .collect();
    if !added.is_empty() {
        added.sort_unstable();
        let list = added.join(", ");
        check.forbidden(
            "metadata.finalizers",
            &format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"),
        );
    }
}

fn common(check: &mut Check, metadata: &Value) {
    labels(check, object(metadata, "labels"), "metadata.labels");
    annotations(
        check,
        object(metadata, "annotations"),
        "metadata.annotations",
    );
    owners(check, items(metadata, "ownerReferences"));
}

/// Keys and values of labels.
pub(super) fn labels(check: &mut Check, labels: Option<&Object>, path: &str) {
    for (key, value) in labels.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        check.sentences(path, key, label_key_problems(key));
        check.sentences(path, value, label_value_problems(value));
    }
}

/// Keys of annotations, and the size of all.
pub(super) fn annotations(check: &mut Check, annotations: Option<&Object>, path: &str) {
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        check.sentences(path, key, label_key_problems(&key.to_lowercase()));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS_LIMIT {
        check.too_long(path, ANNOTATIONS_LIMIT);
    }
}

fn owners(check: &mut Check, owners: &[Value]) {
    const PATH: &str = "metadata.ownerReferences";
    let mut controller: Option<String> = None;
    for owner in owners {
        let (_, version) = split_api_version(text(owner, "apiVersion"));
        if version.is_empty() {
            let field = format!("{PATH}.apiVersion");
            check.invalid_text(
                field,
                text(owner, "apiVersion"),
                "version must not be empty",
            );
        }
        for key in ["kind", "name", "uid"] {
            if text(owner, key).is_empty() {
                check.invalid_text(format!("{PATH}.{key}"), "", "must not be empty");
            }
        }
        if !flag(owner, "controller") {
            continue;
        }
        let this = format!("{}/{}", text(owner, "kind"), text(owner, "name"));
        if let Some(first) = &controller {
            check.invalid(PATH, &owners.to_vec().into(), format!("Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"));
        } else {
            controller = Some(this);
        }
    }
}
