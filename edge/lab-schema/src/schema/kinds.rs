//! The built-in kinds: every one that the API server of Kubernetes 1.36 serves.

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, authentication::v1 as authentication,
    authorization::v1 as authorization, autoscaling::v1 as autoscaling,
    autoscaling::v2 as autoscaling_v2, batch::v1 as batch, certificates::v1 as certificates,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    events::v1 as events, flowcontrol::v1 as flowcontrol, networking::v1 as networking,
    node::v1 as node, policy::v1 as policy, rbac::v1 as rbac, resource::v1 as resource,
    scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as apiregistration;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope, Resource, SubResourceScope};
use schemars::{JsonSchema, Schema as JsonSchemaValue, SchemaGenerator};
use std::borrow::Cow;

/// A kind, and where its schema comes from.
pub(crate) struct RootKind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    /// Plural resource name; empty where the kind has no path of its own.
    pub(crate) plural: &'static str,
    /// Whether objects live in namespaces.
    pub(crate) namespaced: bool,
    /// Whether clients list it: then there is a list type.
    pub(crate) listed: bool,
    /// The definition's name: `io.k8s.api.core.v1.Pod`.
    pub(crate) definition: fn() -> Cow<'static, str>,
    /// Adds the schema, and all that it needs, to the generator's definitions.
    pub(crate) generate: fn(&mut SchemaGenerator) -> JsonSchemaValue,
}

/// Where objects live, as a constant.
trait Scope {
    const NAMESPACED: bool;
}

impl Scope for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

impl Scope for SubResourceScope {
    const NAMESPACED: bool = true;
}

macro_rules! kinds {
    ($($listed:literal: $($kind:ty),* $(,)?;)*) => {
        &[$($(RootKind {
            group: <$kind as Resource>::GROUP,
            version: <$kind as Resource>::VERSION,
            kind: <$kind as Resource>::KIND,
            plural: <$kind as Resource>::URL_PATH_SEGMENT,
            namespaced: <<$kind as Resource>::Scope as Scope>::NAMESPACED,
            listed: $listed,
            definition: <$kind as JsonSchema>::schema_name,
            generate: SchemaGenerator::subschema_for::<$kind>,
        },)*)*]
    };
}

/// Every built-in kind.
pub(crate) const KINDS: &[RootKind] = kinds! {
    true:
        core::ComponentStatus, core::ConfigMap, core::Endpoints, core::Event, core::LimitRange,
        core::Namespace, core::Node, core::PersistentVolume, core::PersistentVolumeClaim, core::Pod,
        core::PodTemplate, core::ReplicationController, core::ResourceQuota, core::Secret,
        core::Service, core::ServiceAccount,
        admission::MutatingAdmissionPolicy, admission::MutatingAdmissionPolicyBinding,
        admission::MutatingWebhookConfiguration, admission::ValidatingAdmissionPolicy,
        admission::ValidatingAdmissionPolicyBinding, admission::ValidatingWebhookConfiguration,
        apiextensions::CustomResourceDefinition, apiregistration::APIService,
        apps::ControllerRevision, apps::DaemonSet, apps::Deployment, apps::ReplicaSet,
        apps::StatefulSet, autoscaling::HorizontalPodAutoscaler,
        autoscaling_v2::HorizontalPodAutoscaler, batch::CronJob, batch::Job,
        certificates::CertificateSigningRequest, coordination::Lease, discovery::EndpointSlice,
        events::Event, flowcontrol::FlowSchema, flowcontrol::PriorityLevelConfiguration,
        networking::IPAddress, networking::Ingress, networking::IngressClass,
        networking::NetworkPolicy, networking::ServiceCIDR, node::RuntimeClass,
        policy::PodDisruptionBudget, rbac::ClusterRole, rbac::ClusterRoleBinding, rbac::Role,
        rbac::RoleBinding, resource::DeviceClass, resource::ResourceClaim,
        resource::ResourceClaimTemplate, resource::ResourceSlice, scheduling::PriorityClass,
        storage::CSIDriver, storage::CSINode, storage::CSIStorageCapacity, storage::StorageClass,
        storage::VolumeAttachment, storage::VolumeAttributesClass;
    false:
        core::Binding, autoscaling::Scale, policy::Eviction, authentication::SelfSubjectReview,
        authentication::TokenRequest, authentication::TokenReview,
        authorization::LocalSubjectAccessReview, authorization::SelfSubjectAccessReview,
        authorization::SelfSubjectRulesReview, authorization::SubjectAccessReview;
};
