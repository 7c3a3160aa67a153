//! Services. Upstream: validateService, ValidateServiceUpdate.

use super::check::Check;
use super::metadata;
use crate::json::{at, has, int, items, object, text};
use k8s::names::subdomain_problems;
use serde_json::Value;
use std::collections::BTreeSet;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

pub(super) fn service(check: &mut Check, service: &Value, old: Option<&Value>) {
    let spec = at(service, "spec");
    if let Some(old) = old {
        addresses_stay(check, at(old, "spec"), spec);
    }
    let kind = text(spec, "type");
    let ports = items(spec, "ports");
    if ports.is_empty() && !is_headless(spec) && kind != "ExternalName" {
        check.required("spec.ports", "");
    }
    by_type(check, spec, kind);
    let mut names = BTreeSet::new();
    for (index, each) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        port(check, each, ports.len() > 1, &path);
        let name = text(each, "name");
        if !name.is_empty() && !names.insert(name) {
            check.duplicate(format!("{path}.name"), &name.into());
        }
    }
    metadata::labels(check, object(spec, "selector"), "spec.selector");
    check.one_of_required(
        "spec.sessionAffinity".to_owned(),
        text(spec, "sessionAffinity"),
        &["ClientIP", "None"],
    );
    addresses(check, spec, kind);
    check.one_of_required("spec.type".to_owned(), kind, &TYPES);
    unique_ports(check, ports, kind);
    load_balancer(check, spec, kind);
    traffic_policies(check, spec, kind);
}

fn is_headless(spec: &Value) -> bool {
    items(spec, "clusterIPs")
        .first()
        .is_some_and(|address| address == "None")
}

fn by_type(check: &mut Check, spec: &Value, kind: &str) {
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(spec) => check.invalid_text(
            "spec.clusterIPs[0]",
            "None",
            format!("may not be set to 'None' for {kind} services"),
        ),
        "ExternalName" => {
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let empty = at(spec, key).as_array().is_some_and(Vec::is_empty);
                if has(spec, key) && !empty {
                    let words = "may not be set for ExternalName services";
                    check.forbidden(format!("spec.{key}"), words);
                }
            }
            let name = text(spec, "externalName");
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                check.required("spec.externalName", "");
            } else {
                check.sentences("spec.externalName", name, subdomain_problems(name));
            }
        }
        _ => {}
    }
}

fn port(check: &mut Check, port: &Value, named: bool, path: &str) {
    let name = text(port, "name");
    if named || !name.is_empty() {
        check.label_required(&format!("{path}.name"), name);
    }
    check.port_number(format!("{path}.port"), at(port, "port"));
    let field = format!("{path}.protocol");
    check.one_of_required(field, text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
    check.port(&format!("{path}.targetPort"), at(port, "targetPort"));
}

fn unique_ports(check: &mut Check, ports: &[Value], kind: &str) {
    let (mut nodes, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter().enumerate() {
        let protocol = text(port, "protocol");
        let path = format!("spec.ports[{index}]");
        if let Some(node) = int(port, "nodePort").filter(|node| *node != 0) {
            let field = format!("{path}.nodePort");
            if kind == "ClusterIP" {
                check.forbidden(field, "may not be used when `type` is 'ClusterIP'");
            } else if !nodes.insert((protocol, node)) {
                check.duplicate(field, &node.into());
            }
        }
        let number = int(port, "port").unwrap_or_default();
        if !numbers.insert((protocol, number)) {
            // Upstream prints its internal form of the port, with nothing but these two set.
            check.duplicate(path, &serde_json::json!({"Name": "", "Protocol": protocol, "AppProtocol": null, "Port": number, "TargetPort": 0, "NodePort": 0}));
        }
    }
}

fn addresses(check: &mut Check, spec: &Value, kind: &str) {
    if kind == "ExternalName" {
        return;
    }
    let (address, list) = (text(spec, "clusterIP"), items(spec, "clusterIPs"));
    let whole = at(spec, "clusterIPs");
    match list.first().and_then(Value::as_str) {
        None if !address.is_empty() => check.required("spec.clusterIPs", ""),
        Some(_) if address.is_empty() => check.invalid(
            "spec.clusterIPs",
            whole,
            "must be empty when `clusterIP` is not specified",
        ),
        Some(first) if first != address => {
            check.invalid(
                "spec.clusterIPs",
                whole,
                "first value must match `clusterIP`",
            );
        }
        _ => {}
    }
    for (index, address) in list.iter().filter_map(Value::as_str).enumerate() {
        if address != "None" && address.parse::<std::net::IpAddr>().is_err() {
            let words = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            check.invalid_text(format!("spec.clusterIPs[{index}]"), address, words);
        }
    }
    for (index, family) in items(spec, "ipFamilies")
        .iter()
        .filter_map(Value::as_str)
        .enumerate()
    {
        check.one_of(
            format!("spec.ipFamilies[{index}]"),
            family,
            &["IPv4", "IPv6"],
        );
    }
    if has(spec, "ipFamilyPolicy") {
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        check.one_of(
            "spec.ipFamilyPolicy",
            text(spec, "ipFamilyPolicy"),
            &policies,
        );
    }
}

fn load_balancer(check: &mut Check, spec: &Value, kind: &str) {
    if kind == "LoadBalancer" {
        return;
    }
    for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        if has(spec, key) {
            let words = "may only be used when `type` is 'LoadBalancer'";
            check.forbidden(format!("spec.{key}"), words);
        }
    }
}

fn traffic_policies(check: &mut Check, spec: &Value, kind: &str) {
    let external = text(spec, "externalTrafficPolicy");
    let reachable = matches!(kind, "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !items(spec, "externalIPs").is_empty());
    let policies = ["Cluster", "Local"];
    if reachable {
        check.one_of_required("spec.externalTrafficPolicy".to_owned(), external, &policies);
    } else if !external.is_empty() {
        let words = "may only be set for externally-accessible services";
        check.invalid_text("spec.externalTrafficPolicy", external, words);
    }
    if has(spec, "internalTrafficPolicy") {
        let internal = text(spec, "internalTrafficPolicy");
        check.one_of("spec.internalTrafficPolicy", internal, &policies);
    }
}

/// Addresses stay once they are given. Upstream: validateUpgradeDowngradeClusterIPs.
fn addresses_stay(check: &mut Check, old: &Value, new: &Value) {
    let external = |spec: &Value| text(spec, "type") == "ExternalName";
    if external(old) || external(new) || (is_headless(old) && is_headless(new)) {
        return;
    }
    let (before, after) = (items(old, "clusterIPs"), items(new, "clusterIPs"));
    let whole = at(new, "clusterIPs");
    let Some(first) = before.first() else { return };
    if after.is_empty() {
        check.invalid(
            "spec.clusterIPs[0]",
            whole,
            "primary clusterIP can not be unset",
        );
    } else if after.first() != Some(first) {
        check.invalid("spec.clusterIPs[0]", whole, "may not change once set");
    }
}
