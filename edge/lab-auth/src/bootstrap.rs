//! The roles and bindings that an API server makes for itself at start.
//!
//! `data/rbac.jsonl` was asked of a real kube-apiserver 1.36; upstream keeps them in
//! plugin/pkg/auth/authorizer/rbac/bootstrappolicy.

use crate::rbac::aggregate;
use serde_json::{Value, json};

const DATA: &str = include_str!("../data/rbac.jsonl");

/// All default ClusterRoles, Roles and their bindings, ready to be stored.
///
/// The server stores those that are missing at start; names and namespaces are in `metadata`.
pub fn objects() -> Vec<Value> {
    let rows = DATA
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut all: Vec<Value> = rows.filter_map(object).collect();
    // The server that was asked had an add-on whose rules had been gathered into view, edit and admin.
    let roles: Vec<&Value> = all
        .iter()
        .filter(|object| object["kind"] == "ClusterRole")
        .collect();
    for updated in aggregate(&roles) {
        let name = &updated["metadata"]["name"];
        let same = |object: &&mut Value| {
            object["kind"] == "ClusterRole" && &object["metadata"]["name"] == name
        };
        if let Some(role) = all.iter_mut().find(same) {
            *role = updated;
        }
    }
    all
}

/// What Evenkeel's HPA controller watches, beyond what upstream's role grants it: inside kube-controller-manager it
/// sees pods through that program's own watch, and everything else it asks for.
pub fn watches() -> [Value; 2] {
    const NAME: &str = "evenkeel:hpa-controller-watches";
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["list", "watch"]});
    let api = "rbac.authorization.k8s.io";
    let version = format!("{api}/v1");
    [
        json!({
            "apiVersion": version, "kind": "ClusterRole", "metadata": {"name": NAME},
            "rules": [
                rule("", &["pods", "replicationcontrollers"]),
                rule("apps", &["deployments", "replicasets", "statefulsets"]),
                rule("metrics.k8s.io", &["pods"]),
                // Whose pods they are, for autoscalers that select by ownership.
                json!({"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get"]}),
            ],
        }),
        json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": NAME},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}],
        }),
    ]
}

fn object(mut row: Value) -> Option<Value> {
    let row = row.as_object_mut()?;
    let kind = match row.get("kind")?.as_str()? {
        "clusterrole" => "ClusterRole",
        "clusterrolebinding" => "ClusterRoleBinding",
        "role" => "Role",
        "rolebinding" => "RoleBinding",
        _ => return None,
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "labels", "annotations"] {
        if let Some(value) = row.remove(field) {
            metadata[field] = value;
        }
    }
    // A bootstrap Role or RoleBinding is reconciled like the cluster-wide ones, so it says so too.
    metadata["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] = json!("true");
    let mut object =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata});
    for field in ["rules", "aggregationRule", "roleRef", "subjects"] {
        if let Some(value) = row.remove(field) {
            object[field] = value;
        }
    }
    Some(object)
}

#[cfg(test)]
mod tests;
