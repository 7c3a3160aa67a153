//! Containers. Upstream: validateContainers, validateInitContainers, validateContainerCommon.

use super::check::Check;
use super::{environment, probes, requirements, volumes};
use crate::json::{at, has, items, text};
use serde_json::Value;
use std::collections::BTreeSet;

const SIDECARS_ONLY: &str = "may not be set for init containers without restartPolicy=Always";

pub(super) fn regular(check: &mut Check, spec: &Value, volumes: &[&str], path: &str) {
    let path = format!("{path}.containers");
    let containers = items(spec, "containers");
    if containers.is_empty() {
        return check.required(path, "");
    }
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{path}[{index}]");
        common(check, container, volumes, &path);
        let name = text(container, "name");
        if !names.insert(name) {
            check.duplicate(format!("{path}.name"), &name.into());
        }
        probes::of_container(check, container, &path);
    }
    host_ports(check, containers, &path);
}

pub(super) fn init(check: &mut Check, spec: &Value, volumes: &[&str], path: &str) {
    let mut names: BTreeSet<&str> = items(spec, "containers")
        .iter()
        .map(|container| text(container, "name"))
        .collect();
    for (index, container) in items(spec, "initContainers").iter().enumerate() {
        let path = format!("{path}.initContainers[{index}]");
        common(check, container, volumes, &path);
        let policy = text(container, "restartPolicy");
        if !policy.is_empty() {
            let field = format!("{path}.restartPolicy");
            check.one_of(field, policy, &["Always", "Never", "OnFailure"]);
        }
        let name = text(container, "name");
        if !name.is_empty() && !names.insert(name) {
            check.duplicate(format!("{path}.name"), &name.into());
        }
        if policy == "Always" {
            probes::of_container(check, container, &path);
            continue;
        }
        for key in [
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            if has(container, key) {
                check.forbidden(format!("{path}.{key}"), SIDECARS_ONLY);
            }
        }
    }
}

fn common(check: &mut Check, container: &Value, volumes: &[&str], path: &str) {
    check.label_required(&format!("{path}.name"), text(container, "name"));
    if text(container, "image").is_empty() {
        check.required(format!("{path}.image"), "");
    }
    check.one_of_required(
        format!("{path}.terminationMessagePolicy"),
        text(container, "terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
    );
    ports(check, items(container, "ports"), path);
    environment::variables(check, container, path);
    volumes::mounts(check, container, volumes, path);
    check.one_of_required(
        format!("{path}.imagePullPolicy"),
        text(container, "imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
    );
    requirements::requirements(
        check,
        at(container, "resources"),
        &format!("{path}.resources"),
    );
}

fn ports(check: &mut Check, ports: &[Value], path: &str) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let name = text(port, "name");
        if !name.is_empty() {
            let problems = k8s::names::port_name_problems(name);
            if problems.is_empty() && !names.insert(name) {
                check.duplicate(format!("{path}.name"), &name.into());
            }
            check.sentences(&format!("{path}.name"), name, problems);
        }
        match at(port, "containerPort").as_i64() {
            None | Some(0) => check.required(format!("{path}.containerPort"), ""),
            Some(_) => {
                check.port_number(format!("{path}.containerPort"), at(port, "containerPort"));
            }
        }
        if at(port, "hostPort").as_i64().is_some_and(|port| port != 0) {
            check.port_number(format!("{path}.hostPort"), at(port, "hostPort"));
        }
        let field = format!("{path}.protocol");
        check.one_of_required(field, text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

/// Two containers cannot have one port of the host.
fn host_ports(check: &mut Check, containers: &[Value], path: &str) {
    let mut taken = BTreeSet::new();
    for (container, ports) in containers.iter().map(|c| items(c, "ports")).enumerate() {
        for (index, port) in ports.iter().enumerate() {
            let Some(number) = at(port, "hostPort").as_i64().filter(|number| *number != 0) else {
                continue;
            };
            let key = format!(
                "{}/{}/{number}",
                text(port, "protocol"),
                text(port, "hostIP")
            );
            if !taken.insert(key.clone()) {
                let field = format!("{path}[{container}].ports[{index}].hostPort");
                check.duplicate(field, &key.into());
            }
        }
    }
}
