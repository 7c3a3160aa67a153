//! What admission adds to pods from other objects: the account's token, the class's priority.
//!
//! Upstream: plugin/pkg/admission/serviceaccount and plugin/pkg/admission/priority (v1.36). What
//! needs no other object is part of [`crate::strategy::prepare_create`].

#[cfg(test)]
mod tests;

use crate::json::{
    Object, at, default_missing, default_zero, each_mut, int, items, object_mut, text,
};
use crate::names::{SUFFIX_LENGTH, suffix};
use serde_json::{Value, json};

/// Where a pod finds its token.
pub const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// A little more than an hour, by which the kubelet knows that it was not asked for.
const TOKEN_SECONDS: i64 = 3607;

/// Gives a new pod its account's token, and the account's pull secrets if it names none itself.
/// `random` chooses the volume's name.
pub fn use_service_account(pod: &mut Value, account: &Value, random: [u8; SUFFIX_LENGTH]) {
    let wanted = |of: &Value, path: &str| at(of, path).as_bool();
    let automount = wanted(pod, "spec.automountServiceAccountToken")
        .or_else(|| wanted(account, "automountServiceAccountToken"))
        .unwrap_or(true);
    let Some(spec) = object_mut(pod, "spec") else {
        return;
    };
    let secrets = items(account, "imagePullSecrets");
    let named = spec.get("imagePullSecrets").and_then(Value::as_array);
    if !secrets.is_empty() && named.is_none_or(Vec::is_empty) {
        spec.insert("imagePullSecrets".to_owned(), secrets.to_vec().into());
    }
    if automount {
        mount_token(spec, &format!("kube-api-access-{}", suffix(random)));
    }
}

fn mount_token(spec: &mut Object, name: &str) {
    let mut used = false;
    for list in ["initContainers", "containers"] {
        for container in each_mut(spec, list) {
            used |= mount(container, name);
        }
    }
    if !used {
        return;
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(
            json!({"name": name, "projected": {"defaultMode": 0o644, "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt",
                               "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace",
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
            ]}}),
        );
    }
}

/// Whether the container lacked a mount and has one now.
fn mount(container: &mut Object, name: &str) -> bool {
    let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
    let Some(mounts) = mounts.as_array_mut() else {
        return false;
    };
    let has_own = mounts
        .iter()
        .any(|mount| text(mount, "mountPath") == TOKEN_DIRECTORY);
    if !has_own {
        mounts.push(json!({"name": name, "mountPath": TOKEN_DIRECTORY, "readOnly": true}));
    }
    !has_own
}

/// Gives a new pod the priority of its class, or of the default class if it names none.
pub fn use_priority_class(pod: &mut Value, class: &Value) {
    let value = int(class, "value").unwrap_or_default();
    let Some(spec) = object_mut(pod, "spec") else {
        return;
    };
    default_zero(spec, "priorityClassName", text(class, "metadata.name"));
    spec.insert("priority".to_owned(), value.into());
    let policy = text(class, "preemptionPolicy");
    let policy = if policy.is_empty() {
        "PreemptLowerPriority"
    } else {
        policy
    };
    default_missing(spec, "preemptionPolicy", policy);
}
