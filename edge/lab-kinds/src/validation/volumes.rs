//! Volumes and their mounts. Upstream: ValidateVolumes, ValidateVolumeMounts.

use super::check::Check;
use crate::json::{at, int, items, text};
use serde_json::Value;

const MODE_WORDS: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// Checks volumes and answers with the names that mounts may use.
pub(super) fn volumes<'a>(check: &mut Check, spec: &'a Value, path: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (index, volume) in items(spec, "volumes").iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        let before = check.count();
        source(check, volume, &path);
        let name = text(volume, "name");
        check.label_required(&format!("{path}.name"), name);
        if names.contains(&name) {
            check.duplicate(format!("{path}.name"), &name.into());
        }
        if check.count() == before {
            names.push(name);
        }
    }
    names
}

fn source(check: &mut Check, volume: &Value, path: &str) {
    let mut given = 0;
    for (kind, source) in volume.as_object().into_iter().flatten() {
        if kind == "name" || source.is_null() {
            continue;
        }
        given += 1;
        let field = format!("{path}.{kind}");
        if given > 1 {
            check.forbidden(field, "may not specify more than 1 volume type");
            continue;
        }
        match kind.as_str() {
            "secret" => named(check, source, &field, "secretName"),
            "configMap" => named(check, source, &field, "name"),
            "persistentVolumeClaim" => named(check, source, &field, "claimName"),
            "hostPath" => named(check, source, &field, "path"),
            _ => {}
        }
    }
    if given == 0 {
        check.required(path, "must specify a volume type");
    }
}

fn named(check: &mut Check, source: &Value, path: &str, key: &str) {
    if text(source, key).is_empty() {
        check.required(format!("{path}.{key}"), "");
    }
    if int(source, "defaultMode").is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        check.invalid(
            format!("{path}.defaultMode"),
            at(source, "defaultMode"),
            MODE_WORDS,
        );
    }
    for (index, item) in items(source, "items").iter().enumerate() {
        for key in ["key", "path"] {
            if text(item, key).is_empty() {
                check.required(format!("{path}.items[{index}].{key}"), "");
            }
        }
        descending(
            check,
            text(item, "path"),
            &format!("{path}.items[{index}].path"),
        );
    }
}

/// A path that stays inside. Upstream: validateLocalDescendingPath.
fn descending(check: &mut Check, target: &str, field: &str) {
    if target.starts_with('/') {
        check.invalid_text(field, target, "must be a relative path");
    }
    if target.split('/').any(|part| part == "..") {
        check.invalid_text(field, target, "must not contain '..'");
    }
}

pub(super) fn mounts(check: &mut Check, container: &Value, volumes: &[&str], path: &str) {
    let mounts = items(container, "volumeMounts");
    for (index, mount) in mounts.iter().enumerate() {
        let field = format!("{path}.volumeMounts[{index}]");
        let name = text(mount, "name");
        if name.is_empty() {
            check.required(format!("{field}.name"), "");
        }
        if !volumes.contains(&name) {
            check.not_found(format!("{field}.name"), name);
        }
        let target = text(mount, "mountPath");
        if target.is_empty() {
            check.required(format!("{field}.mountPath"), "");
        }
        if mounts[..index]
            .iter()
            .any(|earlier| text(earlier, "mountPath") == target)
        {
            check.invalid_text(format!("{field}.mountPath"), target, "must be unique");
        }
        descending(
            check,
            text(mount, "subPath"),
            &format!("{path}.volumeMounts.subPath"),
        );
    }
}

/// Names of the volumes that a StatefulSet's claims add.
pub(super) fn claim_names(spec: &Value) -> Vec<&str> {
    items(spec, "volumeClaimTemplates")
        .iter()
        .map(|claim| text(claim, "metadata.name"))
        .collect()
}
