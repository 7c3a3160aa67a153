//! Nodes, namespaces, secrets, roles and whatever else has a table of its own.

use super::{age, int_or_text, name, number, or, size};
use crate::json::{at, flag, has, items, object, text};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn cells(resource: &str, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    Some(match resource {
        "nodes" => node(object, now),
        "namespaces" => vec![
            name(object),
            text(object, "status.phase").into(),
            age(object, now),
        ],
        "secrets" => vec![
            name(object),
            text(object, "type").into(),
            size(object, "data").into(),
            age(object, now),
        ],
        "configmaps" => {
            let count = size(object, "data") + size(object, "binaryData");
            vec![name(object), count.into(), age(object, now)]
        }
        "serviceaccounts" | "deviceclasses" | "resourceclaimtemplates" => {
            vec![name(object), age(object, now)]
        }
        "componentstatuses" => component_status(object),
        "resourcequotas" => quota(object, now),
        "rolebindings" | "clusterrolebindings" => binding(object, now),
        "apiservices" => api_service(object, now),
        "poddisruptionbudgets" => disruption_budget(object, now),
        "leases" => {
            vec![
                name(object),
                text(object, "spec.holderIdentity").into(),
                age(object, now),
            ]
        }
        "priorityclasses" => vec![
            name(object),
            number(object, "value"),
            flag(object, "globalDefault").into(),
            age(object, now),
            text(object, "preemptionPolicy").into(),
        ],
        "runtimeclasses" => {
            vec![
                name(object),
                text(object, "handler").into(),
                age(object, now),
            ]
        }
        "certificatesigningrequests" => signing_request(object, now),
        "flowschemas" => flow_schema(object, now),
        "prioritylevelconfigurations" => priority_level(object, now),
        "resourceclaims" => {
            vec![name(object), claim_state(object).into(), age(object, now)]
        }
        "resourceslices" => vec![
            name(object),
            text(object, "spec.nodeName").into(),
            text(object, "spec.driver").into(),
            text(object, "spec.pool.name").into(),
            age(object, now),
        ],
        _ => return None,
    })
}

fn node(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = at(node, "status.nodeInfo");
    let unknown = |path| or(text(info, path), "<unknown>").to_owned();
    let mut kernel = unknown("kernelVersion");
    let architecture = text(info, "architecture");
    if !architecture.is_empty() {
        kernel.push_str(&format!(" ({architecture})"));
    }
    vec![
        name(node),
        node_status(node).into(),
        or(&node_roles(node), "<none>").into(),
        age(node, now),
        text(info, "kubeletVersion").into(),
        node_address(node, "InternalIP").into(),
        node_address(node, "ExternalIP").into(),
        unknown("osImage").into(),
        kernel.into(),
        unknown("containerRuntimeVersion").into(),
    ]
}

fn node_status(node: &Value) -> String {
    let ready = items(node, "status.conditions")
        .iter()
        .rfind(|c| text(c, "type") == "Ready");
    let status = match ready.map(|condition| text(condition, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if flag(node, "spec.unschedulable") {
        ",SchedulingDisabled"
    } else {
        ""
    };
    format!("{status}{cordoned}")
}

fn node_roles(node: &Value) -> String {
    let roles: BTreeSet<&str> = object(node, "metadata.labels")
        .into_iter()
        .flatten()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None if key == "kubernetes.io/role" => value.as_str(),
                None => None,
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn node_address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let found = items(node, "status.addresses")
        .iter()
        .find(|a| text(a, "type") == kind);
    found.map_or("<none>", |address| text(address, "address"))
}

fn component_status(object: &Value) -> Vec<Value> {
    let healthy = items(object, "conditions")
        .iter()
        .find(|c| text(c, "type") == "Healthy");
    let (status, message, error) = match healthy {
        Some(c) if text(c, "status") == "True" => ("Healthy", text(c, "message"), text(c, "error")),
        Some(c) => ("Unhealthy", text(c, "message"), text(c, "error")),
        None => ("Unknown", "", ""),
    };
    vec![name(object), status.into(), message.into(), error.into()]
}

fn quota(quota: &Value, now: Timestamp) -> Vec<Value> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in object(quota, "status.hard").into_iter().flatten() {
        let used = at(quota, "status.used")
            .get(resource)
            .and_then(Value::as_str)
            .unwrap_or("0");
        let text = format!("{resource}: {used}/{}", hard.as_str().unwrap_or_default());
        if resource.starts_with("limits.") {
            limits.push(text);
        } else {
            requests.push(text);
        }
    }
    vec![
        name(quota),
        requests.join(", ").into(),
        limits.join(", ").into(),
        age(quota, now),
    ]
}

fn binding(object: &Value, now: Timestamp) -> Vec<Value> {
    let subjects = |kind: &str| {
        let names: Vec<String> = items(object, "subjects")
            .iter()
            .filter(|subject| text(subject, "kind") == kind)
            .map(|subject| match kind {
                "ServiceAccount" => {
                    format!("{}/{}", text(subject, "namespace"), text(subject, "name"))
                }
                _ => text(subject, "name").to_owned(),
            })
            .collect();
        names.join(", ")
    };
    let role = format!(
        "{}/{}",
        text(object, "roleRef.kind"),
        text(object, "roleRef.name")
    );
    vec![
        name(object),
        role.into(),
        age(object, now),
        subjects("User").into(),
        subjects("Group").into(),
        subjects("ServiceAccount").into(),
    ]
}

/// Upstream: kube-aggregator pkg/registry/apiservice/etcd/etcd.go.
fn api_service(object: &Value, now: Timestamp) -> Vec<Value> {
    let service = if has(object, "spec.service") {
        let service = at(object, "spec.service");
        format!("{}/{}", text(service, "namespace"), text(service, "name"))
    } else {
        "Local".to_owned()
    };
    let available = items(object, "status.conditions")
        .iter()
        .find(|c| text(c, "type") == "Available")
        .map_or_else(
            || "Unknown".to_owned(),
            |condition| match (text(condition, "status"), text(condition, "reason")) {
                ("True", _) => "True".to_owned(),
                (status, "") => status.to_owned(),
                (status, reason) => format!("{status} ({reason})"),
            },
        );
    vec![
        name(object),
        service.into(),
        available.into(),
        age(object, now),
    ]
}

fn disruption_budget(object: &Value, now: Timestamp) -> Vec<Value> {
    let bound = |path| int_or_text(at(object, path)).unwrap_or_else(|| "N/A".to_owned());
    vec![
        name(object),
        bound("spec.minAvailable").into(),
        bound("spec.maxUnavailable").into(),
        number(object, "status.disruptionsAllowed"),
        age(object, now),
    ]
}

fn signing_request(object: &Value, now: Timestamp) -> Vec<Value> {
    let is = |kind: &str| {
        items(object, "status.conditions")
            .iter()
            .any(|c| text(c, "type") == kind)
    };
    let mut status = if is("Denied") {
        "Denied"
    } else if is("Approved") {
        "Approved"
    } else {
        "Pending"
    }
    .to_owned();
    if is("Failed") {
        status.push_str(",Failed");
    }
    if !text(object, "status.certificate").is_empty() {
        status.push_str(",Issued");
    }
    let requested = at(object, "spec.expirationSeconds").as_i64().map_or_else(
        || "<none>".to_owned(),
        |seconds| super::human(jiff::SignedDuration::from_secs(seconds)),
    );
    vec![
        name(object),
        age(object, now),
        or(text(object, "spec.signerName"), "<none>").into(),
        text(object, "spec.username").into(),
        requested.into(),
        status.into(),
    ]
}

fn flow_schema(object: &Value, now: Timestamp) -> Vec<Value> {
    let dangling = items(object, "status.conditions")
        .iter()
        .find(|c| text(c, "type") == "Dangling");
    vec![
        name(object),
        text(object, "spec.priorityLevelConfiguration.name").into(),
        number(object, "spec.matchingPrecedence"),
        or(text(object, "spec.distinguisherMethod.type"), "<none>").into(),
        age(object, now),
        dangling
            .map_or("?", |condition| text(condition, "status"))
            .into(),
    ]
}

fn priority_level(object: &Value, now: Timestamp) -> Vec<Value> {
    let limited = at(object, "spec.limited");
    let or_none = |value: &Value| {
        if value.is_null() {
            "<none>".into()
        } else {
            value.clone()
        }
    };
    let queuing = at(limited, "limitResponse.queuing");
    vec![
        name(object),
        text(object, "spec.type").into(),
        or_none(at(limited, "nominalConcurrencyShares")),
        or_none(at(queuing, "queues")),
        or_none(at(queuing, "handSize")),
        or_none(at(queuing, "queueLengthLimit")),
        age(object, now),
    ]
}

fn claim_state(object: &Value) -> String {
    let deleted = has(object, "metadata.deletionTimestamp");
    let mut states = Vec::new();
    if deleted {
        states.push("deleted");
    }
    if has(object, "status.allocation") {
        states.push("allocated");
        if !items(object, "status.reservedFor").is_empty() {
            states.push("reserved");
        }
    } else if !deleted {
        states.push("pending");
    }
    states.join(",")
}
