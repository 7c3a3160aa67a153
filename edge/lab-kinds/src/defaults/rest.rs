//! Every other group. Upstream: pkg/apis/GROUP/v1/defaults.go, and the apiextensions and
//! kube-aggregator modules' own.

use crate::json::{
    Object, at, child_mut, default_missing, default_zero, each_mut, empty, ensure_object,
    object_mut, text,
};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// HorizontalPodAutoscaler; its rules are kept with the rest of that API.
pub(super) fn default_autoscaling(version: &str, object: &mut Value) {
    if version == "v2" {
        k8s::autoscaling::default_v2(object);
    } else {
        k8s::autoscaling::default_v1(object);
    }
}

pub(super) fn default(group: &str, kind: &str, object: &mut Value) {
    match (group, kind) {
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => binding(object),
        (RBAC, _) => role(object),
        ("apiregistration.k8s.io", _) => api_service(object),
        ("apiextensions.k8s.io", _) => custom_resource_definition(object),
        ("networking.k8s.io", _) => networking(kind, object),
        ("storage.k8s.io", _) => storage(kind, object),
        ("admissionregistration.k8s.io", _) => webhooks(object),
        ("coordination.k8s.io", _) => {
            ensure_object(object, "spec");
        }
        ("flowcontrol.apiserver.k8s.io", _) => flow_control(kind, object),
        _ => {
            if let Some(fields) = object.as_object_mut() {
                plain(group, kind, fields);
            }
        }
    }
}

fn plain(group: &str, kind: &str, fields: &mut Object) {
    match (group, kind) {
        ("scheduling.k8s.io", _) => {
            default_missing(fields, "preemptionPolicy", "PreemptLowerPriority");
            default_missing(fields, "value", 0);
        }
        ("discovery.k8s.io", _) => {
            for port in each_mut(fields, "ports") {
                default_missing(port, "name", "");
                default_missing(port, "protocol", "TCP");
            }
            // Lists without `omitempty` print as null when they are empty.
            fields.entry("endpoints").or_insert(Value::Null);
            fields.entry("ports").or_insert(Value::Null);
        }
        ("events.k8s.io", _) => {
            for (key, value) in [
                ("eventTime", Value::Null),
                ("deprecatedFirstTimestamp", Value::Null),
                ("deprecatedLastTimestamp", Value::Null),
                ("deprecatedSource", empty()),
                ("regarding", empty()),
            ] {
                fields.entry(key).or_insert(value);
            }
        }
        _ => {}
    }
}

/// Upstream: pkg/apis/rbac/v1/defaults.go.
fn binding(binding: &mut Value) {
    if let Some(role) = ensure_object(binding, "roleRef") {
        default_zero(role, "apiGroup", RBAC);
    }
    for subject in binding
        .as_object_mut()
        .into_iter()
        .flat_map(|b| each_mut(b, "subjects"))
    {
        if matches!(
            subject.get("kind").and_then(Value::as_str),
            Some("User" | "Group")
        ) {
            default_zero(subject, "apiGroup", RBAC);
        } else if crate::json::is_zero(subject, "apiGroup") {
            subject.remove("apiGroup");
        }
    }
}

fn role(role: &mut Value) {
    if let Some(fields) = role.as_object_mut() {
        fields.entry("rules").or_insert(Value::Null);
    }
}

/// Upstream: kube-aggregator pkg/apis/apiregistration/v1/defaults.go.
fn api_service(service: &mut Value) {
    if let Some(reference) = object_mut(service, "spec.service") {
        default_missing(reference, "port", 443);
    }
}

/// Upstream: apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go.
fn custom_resource_definition(definition: &mut Value) {
    let kind = text(definition, "spec.names.kind").to_owned();
    if let Some(names) = object_mut(definition, "spec.names") {
        default_zero(names, "singular", kind.to_lowercase());
        if !kind.is_empty() {
            default_zero(names, "listKind", format!("{kind}List"));
        }
    }
    if let Some(conversion) = ensure_object(definition, "spec.conversion") {
        default_zero(conversion, "strategy", "None");
        if let Some(service) = child_mut(conversion, "webhook")
            .and_then(|w| child_mut(w, "clientConfig"))
            .and_then(|c| child_mut(c, "service"))
        {
            default_missing(service, "port", 443);
        }
    }
    if at(definition, "spec.preserveUnknownFields").as_bool() == Some(false)
        && let Some(spec) = object_mut(definition, "spec")
    {
        spec.remove("preserveUnknownFields");
    }
}

fn networking(kind: &str, object: &mut Value) {
    match kind {
        "NetworkPolicy" => network_policy(object),
        "IngressClass" => {
            if let Some(parameters) = object_mut(object, "spec.parameters") {
                default_missing(parameters, "scope", "Cluster");
            }
        }
        _ => {}
    }
}

fn network_policy(policy: &mut Value) {
    let Some(spec) = ensure_object(policy, "spec") else {
        return;
    };
    let egress = spec
        .get("egress")
        .and_then(Value::as_array)
        .is_some_and(|e| !e.is_empty());
    let types = if egress {
        json!(["Ingress", "Egress"])
    } else {
        json!(["Ingress"])
    };
    if spec
        .get("policyTypes")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        spec.insert("policyTypes".to_owned(), types);
    }
    default_missing(spec, "podSelector", empty());
    for direction in ["ingress", "egress"] {
        for rule in each_mut(spec, direction) {
            for port in each_mut(rule, "ports") {
                default_missing(port, "protocol", "TCP");
            }
        }
    }
}

fn storage(kind: &str, object: &mut Value) {
    match kind {
        "StorageClass" => {
            if let Some(class) = object.as_object_mut() {
                default_missing(class, "reclaimPolicy", "Delete");
                default_missing(class, "volumeBindingMode", "Immediate");
            }
        }
        "CSIDriver" => {
            let Some(spec) = ensure_object(object, "spec") else {
                return;
            };
            default_missing(spec, "attachRequired", true);
            for flag in [
                "podInfoOnMount",
                "storageCapacity",
                "requiresRepublish",
                "seLinuxMount",
            ] {
                default_missing(spec, flag, false);
            }
            default_missing(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
            default_missing(spec, "volumeLifecycleModes", json!(["Persistent"]));
        }
        _ => {}
    }
}

fn webhooks(configuration: &mut Value) {
    let mutating = text(configuration, "kind") == "MutatingWebhookConfiguration";
    let fields = configuration.as_object_mut();
    for hook in fields.into_iter().flat_map(|c| each_mut(c, "webhooks")) {
        default_missing(hook, "failurePolicy", "Fail");
        default_missing(hook, "matchPolicy", "Equivalent");
        default_missing(hook, "namespaceSelector", empty());
        default_missing(hook, "objectSelector", empty());
        default_missing(hook, "timeoutSeconds", 10);
        if mutating {
            default_missing(hook, "reinvocationPolicy", "Never");
        }
        for rule in each_mut(hook, "rules") {
            default_missing(rule, "scope", "*");
        }
        if let Some(service) =
            child_mut(hook, "clientConfig").and_then(|config| child_mut(config, "service"))
        {
            default_missing(service, "port", 443);
        }
    }
}

fn flow_control(kind: &str, object: &mut Value) {
    if kind == "FlowSchema" {
        if let Some(spec) = ensure_object(object, "spec") {
            default_zero(spec, "matchingPrecedence", 1000);
        }
    } else if let Some(limited) = object_mut(object, "spec.limited") {
        default_missing(limited, "nominalConcurrencyShares", 30);
        default_missing(limited, "lendablePercent", 0);
    }
}
