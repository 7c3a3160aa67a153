//! Services: address families, and what an update keeps of what was allocated.
//!
//! Upstream: pkg/registry/core/service/strategy.go (dropTypeDependentFields) and
//! pkg/registry/core/service/storage/storage.go (normalizeClusterIPs, patchAllocatedValues).

use crate::json::{Object, at, default_missing, is_zero, items, object_mut, text};
use serde_json::{Value, json};

/// Whether a Service of this type has a cluster address (or says `None`).
pub fn needs_cluster_ip(service: &Value) -> bool {
    matches!(
        text(service, "spec.type"),
        "ClusterIP" | "NodePort" | "LoadBalancer"
    )
}

/// Whether the ports of this Service have node ports.
pub fn needs_node_ports(service: &Value) -> bool {
    match text(service, "spec.type") {
        "NodePort" => true,
        "LoadBalancer" => {
            at(service, "spec.allocateLoadBalancerNodePorts").as_bool() != Some(false)
        }
        _ => false,
    }
}

pub(super) fn prepare_create(service: &mut Value) {
    if !needs_cluster_ip(service) {
        return;
    }
    let Some(spec) = object_mut(service, "spec") else {
        return;
    };
    normalize(spec);
    default_missing(spec, "ipFamilies", json!(["IPv4"]));
    default_missing(spec, "ipFamilyPolicy", "SingleStack");
}

/// `clusterIP` and the first of `clusterIPs` are the same thing.
fn normalize(spec: &mut Object) {
    let first = spec.get("clusterIPs").and_then(|list| list.get(0)).cloned();
    match first {
        Some(first) if is_zero(spec, "clusterIP") => {
            spec.insert("clusterIP".to_owned(), first);
        }
        None if !is_zero(spec, "clusterIP") => {
            let address = spec.get("clusterIP").cloned().unwrap_or_default();
            spec.insert("clusterIPs".to_owned(), json!([address]));
        }
        _ => {}
    }
}

pub(super) fn prepare_update(old: &Value, new: &mut Value) {
    keep_allocated(old, new);
    drop_what_the_type_lacks(old, new);
    if needs_cluster_ip(new)
        && let Some(spec) = object_mut(new, "spec")
    {
        normalize(spec);
        default_missing(spec, "ipFamilies", json!(["IPv4"]));
        default_missing(spec, "ipFamilyPolicy", "SingleStack");
    }
}

/// What was allocated and is left out now stays. Upstream: patchAllocatedValues.
fn keep_allocated(old: &Value, new: &mut Value) {
    let ports: Vec<(Value, Value, Value)> = items(old, "spec.ports")
        .iter()
        .map(|port| {
            (
                at(port, "protocol").clone(),
                at(port, "port").clone(),
                at(port, "nodePort").clone(),
            )
        })
        .collect();
    let addresses = needs_cluster_ip(old) && needs_cluster_ip(new);
    let numbers = needs_node_ports(old) && needs_node_ports(new);
    let Some(spec) = object_mut(new, "spec") else {
        return;
    };
    if addresses && is_zero(spec, "clusterIP") && !spec.contains_key("clusterIPs") {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if let Some(kept) = at(old, "spec").get(key) {
                default_missing(spec, key, kept.clone());
            }
        }
    }
    if !numbers {
        return;
    }
    for port in crate::json::each_mut(spec, "ports") {
        let kept = ports.iter().find(|(protocol, number, node)| {
            Some(protocol) == port.get("protocol")
                && Some(number) == port.get("port")
                && !node.is_null()
        });
        if let Some((_, _, node)) = kept
            && is_zero(port, "nodePort")
        {
            port.insert("nodePort".to_owned(), node.clone());
        }
    }
}

/// A change of type lets go of what only the old type had, unless the client changed it too.
fn drop_what_the_type_lacks(old: &Value, new: &mut Value) {
    let addresses = needs_cluster_ip(old) && !needs_cluster_ip(new);
    let numbers = needs_node_ports(old) && !needs_node_ports(new);
    let balancer =
        text(old, "spec.type") == "LoadBalancer" && text(new, "spec.type") != "LoadBalancer";
    let same = |new: &Object, key: &str| at(old, "spec").get(key) == new.get(key);
    let old_ports = items(old, "spec.ports");
    let Some(spec) = object_mut(new, "spec") else {
        return;
    };
    if addresses && same(spec, "clusterIP") && same(spec, "clusterIPs") {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec.remove(key);
        }
    }
    if numbers {
        for port in crate::json::each_mut(spec, "ports") {
            if old_ports
                .iter()
                .any(|old| old.get("nodePort") == port.get("nodePort"))
            {
                port.remove("nodePort");
            }
        }
    }
    if balancer {
        for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if same(spec, key) {
                spec.remove(key);
            }
        }
    }
    if matches!(
        spec.get("type").and_then(Value::as_str),
        Some("ClusterIP" | "ExternalName")
    ) {
        for key in ["externalTrafficPolicy", "healthCheckNodePort"] {
            if same(spec, key) && is_zero_list(spec, "externalIPs") {
                spec.remove(key);
            }
        }
    }
}

fn is_zero_list(spec: &Object, key: &str) -> bool {
    spec.get(key)
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
}
