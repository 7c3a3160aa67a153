//! What a new lab begins with: namespaces, roles, priority classes, the `kubernetes` Service.

use crate::backend::{self, Backend, Refused, Write};
use crate::registry::{Registry, Served};
use crate::server::Inner;
use crate::stored::Draft;
use crate::verbs::create::timestamp;
use crate::{kinds, registry};
use anyhow::{Context, bail};
use jiff::Timestamp;
use k8s::features::Gates;
use objects::Expect;
use serde_json::{Value, json};

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Makes what is missing.
pub(crate) async fn run(inner: &Inner, now: Timestamp) -> anyhow::Result<()> {
    // What users added is registered by them.
    let registry = Registry::builtin();
    let mut objects: Vec<Value> = NAMESPACES.iter().map(|name| namespace(name)).collect();
    objects.extend(lab_auth::bootstrap::objects());
    objects.extend(lab_auth::bootstrap::watches());
    objects.extend([
        priority_class("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
        priority_class("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
        extension_authentication(inner),
    ]);
    objects.extend(registry.groups().iter().flat_map(|(group, versions)| {
        versions
            .iter()
            .enumerate()
            .map(|(at, version)| api_service(group, version, at, now))
    }));
    for object in objects {
        put(&inner.backend, &registry, now, object).await?;
    }
    for object in crate::front_door::objects(inner) {
        put(&inner.backend, &registry, now, object).await?;
    }
    Ok(())
}

async fn put(
    backend: &Backend,
    registry: &Registry,
    now: Timestamp,
    mut object: Value,
) -> anyhow::Result<()> {
    let text = |key: &str| object[key].as_str().unwrap_or("").to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let (group, version) = lab_kinds::resources::split_api_version(&version);
    let served: Option<&std::sync::Arc<Served>> = registry
        .of(group, version)
        .find(|served| served.kind == kind);
    let Some(served) = served else {
        bail!("{kind} of {group}/{version} is not served")
    };
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or("").to_owned();
    let key = backend::key(metadata["namespace"].as_str().unwrap_or(""), &name);
    if backend.get(&served.collection, &key).is_some() {
        return Ok(());
    }
    object["metadata"]["uid"] = uuid::Uuid::new_v4().to_string().into();
    object["metadata"]["creationTimestamp"] = timestamp(now).into();
    let status = object.get("status").cloned();
    kinds::default(served, &mut object);
    kinds::prepare_create(Gates::default(), served, &mut object);
    if let Some(status) = status {
        object["status"] = status;
    }
    let draft = Some(Draft::new(&object));
    let collection = served.collection.clone();
    match backend
        .write(Write {
            collection,
            key,
            expect: Expect::Absent,
            draft,
        })
        .await
    {
        Ok(_) | Err(Refused::Mismatch(_)) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("making {kind} {name}")),
    }
}

fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}

fn priority_class(name: &str, value: i64, description: &str) -> Value {
    json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "value": value, "description": description, "preemptionPolicy": "PreemptLowerPriority",
    })
}

/// Upstream: pkg/controlplane/controller/clusterauthenticationtrust.
fn extension_authentication(inner: &Inner) -> Value {
    let list = |values: &[&str]| json!(values).to_string();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
        "data": {
            "client-ca-file": inner.authority.ca_pem(),
            "requestheader-client-ca-file": inner.authority.request_header_ca_pem(),
            "requestheader-allowed-names": list(&["front-proxy-client"]),
            "requestheader-extra-headers-prefix": list(&["X-Remote-Extra-"]),
            "requestheader-group-headers": list(&["X-Remote-Group"]),
            "requestheader-uid-headers": list(&["X-Remote-Uid"]),
            "requestheader-username-headers": list(&["X-Remote-User"]),
        },
    })
}

/// The APIService of a group that this server serves itself.
///
/// Upstream: pkg/controlplane/apiserver/aggregator.go (apiServicesToRegister).
fn api_service(group: &str, version: &str, at: usize, now: Timestamp) -> Value {
    let (name, minimum, priority) = if group.is_empty() {
        (format!("{version}."), 18_000, 1)
    } else {
        let at = i64::try_from(at).unwrap_or(0);
        (
            format!("{version}.{group}"),
            registry::priority(group),
            15 - at,
        )
    };
    let mut spec =
        json!({"version": version, "groupPriorityMinimum": minimum, "versionPriority": priority});
    if !group.is_empty() {
        spec["group"] = group.into();
    }
    json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": name, "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
        "spec": spec,
        "status": {"conditions": [{
            "type": "Available", "status": "True", "lastTransitionTime": timestamp(now),
            "reason": "Local", "message": "Local APIServices are always available",
        }]},
    })
}
