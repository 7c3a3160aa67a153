//! APIServices and CustomResourceDefinitions.
//!
//! Upstream: kube-aggregator pkg/apis/apiregistration/validation and apiextensions-apiserver
//! pkg/apis/apiextensions/validation.

use super::check::Check;
use crate::json::{at, flag, has, int, items, text};
use k8s::names::{service_name_problems, subdomain_problems};
use serde_json::Value;

pub(super) fn api_service(check: &mut Check, service: &Value) {
    let spec = at(service, "spec");
    let (group, version) = (text(spec, "group"), text(spec, "version"));
    let expected = format!("{version}.{group}");
    let name = text(service, "metadata.name");
    if name != expected {
        let words = format!("must be `spec.version+\".\"+spec.group`: \"{expected}\"");
        check.invalid_text("metadata.name", name, words);
    }
    // Only the core group's v1 may have no group.
    if !(group.is_empty() && version == "v1") {
        check.sentences("spec.group", group, subdomain_problems(group));
        check.sentences("spec.version", version, service_name_problems(version));
    }
    priority(check, spec, "groupPriorityMinimum", 20_000);
    priority(check, spec, "versionPriority", 1_000);
    let bundle = text(spec, "caBundle");
    let insecure = flag(spec, "insecureSkipTLSVerify");
    if !has(spec, "service") {
        if !bundle.is_empty() {
            check.invalid(
                "spec.caBundle",
                &"<bytes>".into(),
                "local APIServices may not have a caBundle",
            );
        }
        if insecure {
            let words = "local APIServices may not have insecureSkipTLSVerify";
            check.invalid("spec.insecureSkipTLSVerify", &true.into(), words);
        }
        return;
    }
    for key in ["namespace", "name"] {
        if text(at(spec, "service"), key).is_empty() {
            check.required(format!("spec.service.{key}"), "");
        }
    }
    let port = at(spec, "service.port");
    if !port
        .as_i64()
        .is_some_and(|port| (1..=65_535).contains(&port))
    {
        let words = "port is not valid: must be between 1 and 65535, inclusive";
        check.invalid("spec.service.port", port, words);
    }
    if insecure && !bundle.is_empty() {
        let words = "may not be true if caBundle is present";
        check.invalid("spec.insecureSkipTLSVerify", &true.into(), words);
    }
}

fn priority(check: &mut Check, spec: &Value, key: &str, limit: i64) {
    let value = int(spec, key).unwrap_or_default();
    if value <= 0 || value > limit {
        let words = format!("must be positive and less than {limit}");
        check.invalid(format!("spec.{key}"), &value.into(), words);
    }
}

pub(super) fn custom_resource(check: &mut Check, definition: &Value, old: Option<&Value>) {
    let spec = at(definition, "spec");
    let (group, plural) = (text(spec, "group"), text(spec, "names.plural"));
    let name = text(definition, "metadata.name");
    if name != format!("{plural}.{group}") {
        check.invalid_text(
            "metadata.name",
            name,
            "must be spec.names.plural+\".\"+spec.group",
        );
    }
    if group.is_empty() {
        check.required("spec.group", "");
    } else {
        check.sentences("spec.group", group, subdomain_problems(group));
        if !group.contains('.') {
            check.invalid_text(
                "spec.group",
                group,
                "should be a domain with at least one dot",
            );
        }
    }
    check.one_of_required(
        "spec.scope".to_owned(),
        text(spec, "scope"),
        &["Cluster", "Namespaced"],
    );
    versions(check, spec);
    names(check, at(spec, "names"));
    if let Some(old) = old {
        unchanged(check, at(old, "spec"), spec);
    }
}

fn versions(check: &mut Check, spec: &Value) {
    let versions = items(spec, "versions");
    let mut storage = 0;
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        let name = text(version, "name");
        check.sentences(&format!("{path}.name"), name, service_name_problems(name));
        if versions[..index]
            .iter()
            .any(|earlier| text(earlier, "name") == name)
        {
            let words = "must contain unique version names";
            check.invalid("spec.versions", at(spec, "versions"), words);
        }
        storage += usize::from(flag(version, "storage"));
        if !has(version, "schema.openAPIV3Schema") {
            check.required(
                format!("{path}.schema.openAPIV3Schema"),
                "schemas are required",
            );
        } else if text(version, "schema.openAPIV3Schema.type") != "object" {
            let field = format!("{path}.schema.openAPIV3Schema.type");
            match text(version, "schema.openAPIV3Schema.type") {
                "" => check.required(field, "must not be empty at the root"),
                other => check.invalid_text(field, other, "must be object at the root"),
            }
        }
        scale(check, version, &path);
    }
    if storage != 1 {
        check.invalid(
            "spec.versions",
            at(spec, "versions"),
            "must have exactly one version marked as storage version",
        );
    }
}

fn scale(check: &mut Check, version: &Value, path: &str) {
    let scale = at(version, "subresources.scale");
    if scale.is_null() {
        return;
    }
    for (key, root) in [
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
    ] {
        let value = text(scale, key);
        let field = format!("{path}.subresources.scale.{key}");
        if value.is_empty() {
            check.required(field, "");
        } else if !value.starts_with(root) {
            let words = format!("should be a json path under {}", &root[..root.len() - 1]);
            check.invalid_text(field, value, words);
        }
    }
}

fn names(check: &mut Check, names: &Value) {
    for key in ["plural", "singular", "kind", "listKind"] {
        let name = text(names, key);
        let field = format!("spec.names.{key}");
        if name.is_empty() {
            check.required(field, "");
        } else {
            check.sentences(&field, name, service_name_problems(&name.to_lowercase()));
        }
    }
    for (index, name) in items(names, "shortNames")
        .iter()
        .filter_map(Value::as_str)
        .enumerate()
    {
        let field = format!("spec.names.shortNames[{index}]");
        check.sentences(&field, name, service_name_problems(name));
    }
    if !text(names, "kind").is_empty() && text(names, "kind") == text(names, "listKind") {
        let words = "kind and listKind may not be the same";
        check.invalid_text("spec.names.listKind", text(names, "listKind"), words);
    }
}

fn unchanged(check: &mut Check, old: &Value, new: &Value) {
    for key in ["group", "scope", "names.kind", "names.plural"] {
        check.immutable(&format!("spec.{key}"), at(old, key), at(new, key));
    }
}
