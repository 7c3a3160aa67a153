//! Services and Endpoints. Upstream: printService, formatEndpoints.

use super::{age, labels, name, or};
use crate::json::{int, items, object, text};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn cells(service: &Value, now: Timestamp) -> Vec<Value> {
    let address = items(service, "spec.clusterIPs")
        .first()
        .and_then(Value::as_str);
    vec![
        name(service),
        text(service, "spec.type").into(),
        address.unwrap_or("<none>").into(),
        external(service).into(),
        or(&ports(service), "<none>").into(),
        age(service, now),
        labels(object(service, "spec.selector")).into(),
    ]
}

/// Addresses or names at which a load balancer answers, sorted.
pub(super) fn balancer(object: &Value) -> String {
    let addresses: BTreeSet<&str> = items(object, "status.loadBalancer.ingress")
        .iter()
        .map(|ingress| or(text(ingress, "ip"), text(ingress, "hostname")))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.into_iter().collect::<Vec<_>>().join(",")
}

fn external(service: &Value) -> String {
    let given: Vec<&str> = items(service, "spec.externalIPs")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match text(service, "spec.type") {
        "ClusterIP" | "NodePort" => or(&given.join(","), "<none>").to_owned(),
        "LoadBalancer" => {
            let balanced = balancer(service);
            let all: Vec<&str> = std::iter::once(balanced.as_str())
                .filter(|b| !b.is_empty())
                .chain(given)
                .collect();
            or(&all.join(","), "<pending>").to_owned()
        }
        "ExternalName" => text(service, "spec.externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

fn ports(service: &Value) -> String {
    let pieces: Vec<String> = items(service, "spec.ports")
        .iter()
        .map(|port| {
            let number = int(port, "port").unwrap_or_default();
            let protocol = text(port, "protocol");
            match int(port, "nodePort") {
                Some(node) if node > 0 => format!("{number}:{node}/{protocol}"),
                _ => format!("{number}/{protocol}"),
            }
        })
        .collect();
    pieces.join(",")
}

pub(super) fn endpoints(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut list = Vec::new();
    for subset in items(object, "subsets") {
        let addresses = items(subset, "addresses");
        let ports = items(subset, "ports");
        if ports.is_empty() {
            list.extend(
                addresses
                    .iter()
                    .map(|address| text(address, "ip").to_owned()),
            );
        }
        for port in ports {
            let number = int(port, "port").unwrap_or_default();
            list.extend(addresses.iter().map(|address| {
                let ip = text(address, "ip");
                if ip.contains(':') {
                    format!("[{ip}]:{number}")
                } else {
                    format!("{ip}:{number}")
                }
            }));
        }
    }
    let none = if items(object, "subsets").is_empty() {
        "<none>"
    } else {
        ""
    };
    vec![
        name(object),
        super::first_three(&list, none).into(),
        age(object, now),
    ]
}
