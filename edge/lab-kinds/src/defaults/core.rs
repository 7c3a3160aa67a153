//! The core group but for pods. Upstream: pkg/apis/core/v1/defaults.go.

use super::{pod, quantities, volumes};
use crate::json::{
    Object, child_mut, default_missing, default_zero, each_mut, empty, ensure_object, is_zero,
    object_mut, text,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(super) fn default(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => return pod::pod(object),
        "Namespace" => return namespace(object),
        _ => {}
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    match kind {
        "Service" => service(fields),
        "Secret" => secret(fields),
        "Endpoints" => endpoints(fields),
        "Node" => node(fields),
        "PersistentVolume" => persistent_volume(fields),
        "PersistentVolumeClaim" => claim(fields),
        "PodTemplate" => pod::template(fields, "template"),
        "ReplicationController" => replication_controller(fields),
        "LimitRange" => limit_range(fields),
        "ResourceQuota" => resource_quota(fields),
        "Event" => event(fields),
        _ => {}
    }
}

/// Upstream's core Event prints these members even when they are empty.
pub(super) fn event(event: &mut Object) {
    for (key, value) in [
        ("eventTime", Value::Null),
        ("firstTimestamp", Value::Null),
        ("lastTimestamp", Value::Null),
        ("involvedObject", empty()),
        ("source", empty()),
        ("reportingComponent", "".into()),
        ("reportingInstance", "".into()),
    ] {
        event.entry(key).or_insert(value);
    }
}

/// Upstream: SetDefaults_Namespace, SetDefaults_NamespaceStatus.
fn namespace(namespace: &mut Value) {
    let name = text(namespace, "metadata.name").to_owned();
    if !name.is_empty()
        && let Some(labels) = ensure_object(namespace, "metadata.labels")
    {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
    ensure_object(namespace, "spec");
    if let Some(status) = object_mut(namespace, "status") {
        default_zero(status, "phase", "Active");
    }
}

/// Text in `stringData` replaces `data`. Upstream: Convert_v1_Secret_To_core_Secret.
fn secret(secret: &mut Object) {
    default_zero(secret, "type", "Opaque");
    let Some(Value::Object(plain)) = secret.remove("stringData") else {
        return;
    };
    if plain.is_empty() {
        return;
    }
    default_missing(secret, "data", empty());
    if let Some(data) = child_mut(secret, "data") {
        for (key, text) in plain {
            let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
            data.insert(key, encoded.into());
        }
    }
}

/// Upstream: SetDefaults_Service.
fn service(service: &mut Object) {
    default_missing(service, "spec", empty());
    if let Some(status) = child_mut(service, "status") {
        default_missing(status, "loadBalancer", empty());
    }
    let Some(spec) = child_mut(service, "spec") else {
        return;
    };
    default_zero(spec, "sessionAffinity", "None");
    session_affinity(spec);
    default_zero(spec, "type", "ClusterIP");
    let kind = spec
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for port in each_mut(spec, "ports") {
        default_zero(port, "protocol", "TCP");
        if is_zero(port, "targetPort") {
            let number = port.get("port").cloned().unwrap_or_default();
            port.insert("targetPort".to_owned(), number);
        }
    }
    let balanced = kind == "LoadBalancer";
    let external = spec
        .get("externalIPs")
        .and_then(Value::as_array)
        .is_some_and(|l| !l.is_empty());
    if balanced || kind == "NodePort" || (kind == "ClusterIP" && external) {
        default_zero(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        default_missing(spec, "internalTrafficPolicy", "Cluster");
    }
    if balanced {
        default_missing(spec, "allocateLoadBalancerNodePorts", true);
        ingress_modes(service);
    }
}

fn session_affinity(spec: &mut Object) {
    const THREE_HOURS: i64 = 10_800;
    match spec.get("sessionAffinity").and_then(Value::as_str) {
        Some("None") => {
            spec.remove("sessionAffinityConfig");
        }
        Some("ClientIP") => {
            let set = spec
                .get("sessionAffinityConfig")
                .and_then(|config| config.pointer("/clientIP/timeoutSeconds"))
                .is_some();
            if !set {
                spec.insert(
                    "sessionAffinityConfig".to_owned(),
                    json!({"clientIP": {"timeoutSeconds": THREE_HOURS}}),
                );
            }
        }
        _ => {}
    }
}

fn ingress_modes(service: &mut Object) {
    let ingresses = child_mut(service, "status").and_then(|s| child_mut(s, "loadBalancer"));
    for ingress in ingresses
        .into_iter()
        .flat_map(|balancer| each_mut(balancer, "ingress"))
    {
        if !is_zero(ingress, "ip") {
            default_missing(ingress, "ipMode", "VIP");
        }
    }
}

fn endpoints(endpoints: &mut Object) {
    for subset in each_mut(endpoints, "subsets") {
        for port in each_mut(subset, "ports") {
            default_zero(port, "protocol", "TCP");
        }
    }
}

/// Upstream: SetDefaults_NodeStatus; the members of `nodeInfo` print even when empty.
fn node(node: &mut Object) {
    default_missing(node, "spec", empty());
    let Some(status) = child_mut(node, "status") else {
        return;
    };
    quantities::list(status, "capacity");
    quantities::list(status, "allocatable");
    if let Some(capacity) = status.get("capacity").cloned() {
        default_missing(status, "allocatable", capacity);
    }
    default_missing(
        status,
        "daemonEndpoints",
        json!({"kubeletEndpoint": {"Port": 0}}),
    );
    default_missing(status, "nodeInfo", empty());
    let Some(info) = child_mut(status, "nodeInfo") else {
        return;
    };
    for key in [
        "machineID",
        "systemUUID",
        "bootID",
        "kernelVersion",
        "osImage",
        "containerRuntimeVersion",
        "kubeletVersion",
        "kubeProxyVersion",
        "operatingSystem",
        "architecture",
    ] {
        default_missing(info, key, "");
    }
}

fn persistent_volume(volume: &mut Object) {
    default_missing(volume, "spec", empty());
    if let Some(status) = child_mut(volume, "status") {
        default_zero(status, "phase", "Pending");
    }
    if let Some(spec) = child_mut(volume, "spec") {
        default_zero(spec, "persistentVolumeReclaimPolicy", "Retain");
        default_missing(spec, "volumeMode", "Filesystem");
        quantities::list(spec, "capacity");
        if let Some(path) = child_mut(spec, "hostPath") {
            default_missing(path, "type", "");
        }
    }
}

/// A PersistentVolumeClaim, also as a template of a StatefulSet.
pub(super) fn claim(claim: &mut Object) {
    default_missing(claim, "spec", empty());
    default_missing(claim, "status", json!({"phase": "Pending"}));
    if let Some(status) = child_mut(claim, "status") {
        default_zero(status, "phase", "Pending");
        quantities::list(status, "capacity");
    }
    if let Some(spec) = child_mut(claim, "spec") {
        volumes::claim_spec(spec);
    }
}

fn replication_controller(controller: &mut Object) {
    default_missing(controller, "spec", empty());
    let labels = object_labels(controller, "/spec/template/metadata/labels");
    let Some(spec) = child_mut(controller, "spec") else {
        return;
    };
    default_missing(spec, "replicas", 1);
    if spec.contains_key("template") {
        pod::template(spec, "template");
    }
    let Some(labels) = labels else { return };
    if spec
        .get("selector")
        .and_then(Value::as_object)
        .is_none_or(Object::is_empty)
    {
        spec.insert("selector".to_owned(), labels.clone());
    }
    labels_if_none(controller, labels);
}

fn object_labels(object: &Object, pointer: &str) -> Option<Value> {
    let (first, rest) = pointer.trim_start_matches('/').split_once('/')?;
    object
        .get(first)?
        .pointer(&format!("/{rest}"))
        .filter(|labels| labels.is_object())
        .cloned()
}

/// A workload without labels takes those of its template.
pub(super) fn labels_if_none(object: &mut Object, labels: Value) {
    if let Some(metadata) = child_mut(object, "metadata") {
        default_missing(metadata, "labels", labels);
    }
}

fn resource_quota(quota: &mut Object) {
    for part in ["spec", "status"] {
        if let Some(part) = child_mut(quota, part) {
            quantities::list(part, "hard");
            quantities::list(part, "used");
        }
    }
}

/// Upstream: SetDefaults_LimitRangeItem.
fn limit_range(range: &mut Object) {
    let Some(spec) = child_mut(range, "spec") else {
        return;
    };
    for limit in each_mut(spec, "limits") {
        for key in [
            "max",
            "min",
            "default",
            "defaultRequest",
            "maxLimitRequestRatio",
        ] {
            quantities::list(limit, key);
        }
        if limit.get("type").and_then(Value::as_str) == Some("Container") {
            copy_missing(limit, "max", "default");
            copy_missing(limit, "default", "defaultRequest");
            copy_missing(limit, "min", "defaultRequest");
        }
    }
}

fn copy_missing(limit: &mut Object, from: &str, to: &str) {
    let Some(values) = limit.get(from).and_then(Value::as_object).cloned() else {
        return;
    };
    let target = limit.entry(to).or_insert_with(empty);
    if let Some(target) = target.as_object_mut() {
        for (name, value) in values {
            target.entry(name).or_insert(value);
        }
    }
}
