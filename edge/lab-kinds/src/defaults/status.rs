//! The status that a new object has.
//!
//! Upstream's types decide it: members without `omitempty` print although they are empty.

use crate::json::{Object, empty};
use serde_json::{Value, json};

/// The empty status of a kind; none for kinds without one.
pub(crate) fn initial(group: &str, version: &str, kind: &str) -> Option<Value> {
    Some(match (group, kind) {
        ("", "Pod" | "Node" | "ResourceQuota") | ("apps", "Deployment") => empty(),
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "Service") | ("networking.k8s.io", "Ingress") => json!({"loadBalancer": {}}),
        ("", "PersistentVolume" | "PersistentVolumeClaim") => json!({"phase": "Pending"}),
        ("", "ReplicationController") | ("apps", "ReplicaSet" | "StatefulSet") => {
            json!({"replicas": 0})
        }
        ("apps", "DaemonSet") => json!({"currentNumberScheduled": 0, "numberMisscheduled": 0,
                                        "desiredNumberScheduled": 0, "numberReady": 0}),
        ("autoscaling", _) if version == "v2" => {
            json!({"currentMetrics": null, "desiredReplicas": 0})
        }
        ("autoscaling", _) => json!({"currentReplicas": 0, "desiredReplicas": 0}),
        ("policy", "PodDisruptionBudget") => {
            json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0,
                   "expectedPods": 0})
        }
        ("apiextensions.k8s.io", _) => {
            json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""},
                   "storedVersions": null})
        }
        ("storage.k8s.io", "VolumeAttachment") => json!({"attached": false}),
        (
            "batch"
            | "apiregistration.k8s.io"
            | "certificates.k8s.io"
            | "flowcontrol.apiserver.k8s.io",
            _,
        )
        | ("networking.k8s.io", "ServiceCIDR")
        | ("resource.k8s.io", "ResourceClaim")
        | ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => empty(),
        _ => return None,
    })
}

/// Gives an object without a status the empty one.
pub(super) fn fill(group: &str, version: &str, kind: &str, object: &mut Object) {
    if object.get("status").is_none_or(Value::is_null)
        && let Some(status) = initial(group, version, kind)
    {
        object.insert("status".to_owned(), status);
    }
}
