//! Environment variables. Upstream: ValidateEnv, ValidateEnvFrom.

use super::check::Check;
use crate::json::{at, has, items, text};
use k8s::names::{config_key_problems, subdomain_problems, variable_name_problems};
use serde_json::Value;

const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const SOURCES: [&str; 5] = [
    "fieldRef",
    "resourceFieldRef",
    "configMapKeyRef",
    "secretKeyRef",
    "fileKeyRef",
];

pub(super) fn variables(check: &mut Check, container: &Value, path: &str) {
    for (index, variable) in items(container, "env").iter().enumerate() {
        let path = format!("{path}.env[{index}]");
        let name = text(variable, "name");
        if name.is_empty() {
            check.required(format!("{path}.name"), "");
        } else {
            check.sentences(&format!("{path}.name"), name, variable_name_problems(name));
        }
        if has(variable, "valueFrom") {
            source(check, variable, &format!("{path}.valueFrom"));
        }
    }
    from(check, container, &format!("{path}.envFrom"));
}

fn source(check: &mut Check, variable: &Value, path: &str) {
    let from = at(variable, "valueFrom");
    let given = SOURCES.iter().filter(|source| has(from, source)).count();
    if has(from, "fieldRef") {
        field(check, at(from, "fieldRef"), &format!("{path}.fieldRef"));
    }
    if has(from, "resourceFieldRef") {
        let reference = at(from, "resourceFieldRef");
        resource(check, reference, &format!("{path}.resourceFieldRef"));
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        if has(from, key) {
            key_of(check, at(from, key), &format!("{path}.{key}"));
        }
    }
    if given == 0 {
        check.invalid_text(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    } else if !text(variable, "value").is_empty() {
        check.invalid_text(path, "", "may not be specified when `value` is not empty");
    } else if given > 1 {
        check.invalid_text(
            path,
            "",
            "may not have more than one field specified at a time",
        );
    }
}

fn field(check: &mut Check, reference: &Value, path: &str) {
    let name = text(reference, "fieldPath");
    if text(reference, "apiVersion").is_empty() {
        check.required(format!("{path}.apiVersion"), "");
    } else if name.is_empty() {
        check.required(format!("{path}.fieldPath"), "");
    } else if !name.ends_with(']') || !name.contains('[') {
        check.one_of(format!("{path}.fieldPath"), name, &FIELDS);
    }
}

fn resource(check: &mut Check, reference: &Value, path: &str) {
    let name = text(reference, "resource");
    if name.is_empty() {
        check.required(format!("{path}.resource"), "");
    } else if !name.contains(".hugepages-") {
        check.one_of(format!("{path}.resource"), name, &RESOURCES);
    }
}

fn key_of(check: &mut Check, reference: &Value, path: &str) {
    let name = text(reference, "name");
    check.sentences(&format!("{path}.name"), name, subdomain_problems(name));
    let key = text(reference, "key");
    if key.is_empty() {
        check.required(format!("{path}.key"), "");
    } else {
        check.sentences(&format!("{path}.key"), key, config_key_problems(key));
    }
}

fn from(check: &mut Check, container: &Value, path: &str) {
    for (index, source) in items(container, "envFrom").iter().enumerate() {
        let each = format!("{path}[{index}]");
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            check.sentences(
                &format!("{each}.prefix"),
                prefix,
                variable_name_problems(prefix),
            );
        }
        let mut given = 0;
        for key in ["configMapRef", "secretRef"] {
            if !has(source, key) {
                continue;
            }
            given += 1;
            let name = text(at(source, key), "name");
            let field = format!("{each}.{key}.name");
            if name.is_empty() {
                check.required(field, "");
            } else {
                check.sentences(&field, name, subdomain_problems(name));
            }
        }
        if given == 0 {
            check.invalid_text(
                path,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            );
        } else if given > 1 {
            check.invalid_text(
                path,
                "",
                "may not have more than one field specified at a time",
            );
        }
    }
}
