//! The scale of the kinds that every cluster has, as their scale subresources would give it.
//!
//! Upstream: the scale storages of pkg/registry/apps and core/replicationcontroller (v1.36).
//! Not here: where the objects come from, and other kinds, whose scale only their own API knows.

use k8s_openapi::api::autoscaling::v1::{Scale, ScaleSpec, ScaleStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// A kind whose scale is known from the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// apps Deployment.
    Deployment,
    /// apps ReplicaSet.
    ReplicaSet,
    /// apps StatefulSet.
    StatefulSet,
    /// core ReplicationController, whose selector is a plain map.
    ReplicationController,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::ReplicationController,
    ];

    /// The kind that a target reference means.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("apps", "Deployment") => Some(Self::Deployment),
            ("apps", "ReplicaSet") => Some(Self::ReplicaSet),
            ("apps", "StatefulSet") => Some(Self::StatefulSet),
            ("", "ReplicationController") => Some(Self::ReplicationController),
            _ => None,
        }
    }

    /// The path of an object's scale.
    pub fn scale_path(self, namespace: &str, name: &str) -> String {
        let (api, resource) = match self {
            Self::Deployment => ("apis/apps/v1", "deployments"),
            Self::ReplicaSet => ("apis/apps/v1", "replicasets"),
            Self::StatefulSet => ("apis/apps/v1", "statefulsets"),
            Self::ReplicationController => ("api/v1", "replicationcontrollers"),
        };
        format!("/{api}/namespaces/{namespace}/{resource}/{name}/scale")
    }
}

/// A scale from `spec.replicas`, `status.replicas` and the selector as text.
pub fn scale(
    metadata: ObjectMeta,
    wanted: Option<i32>,
    observed: Option<i32>,
    selector: String,
) -> Scale {
    Scale {
        metadata: ObjectMeta {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            creation_timestamp: metadata.creation_timestamp,
            ..ObjectMeta::default()
        },
        spec: Some(ScaleSpec {
            replicas: Some(wanted.unwrap_or(1)),
        }),
        status: Some(ScaleStatus {
            replicas: observed.unwrap_or(0),
            selector: Some(selector).filter(|text| !text.is_empty()),
        }),
    }
}
