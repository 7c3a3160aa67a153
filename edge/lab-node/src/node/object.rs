//! The Node object and its lease. Upstream: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go,
//! component-helpers/apimachinery/lease.

use crate::host::Host;
use crate::proc::meminfo_field;
use anyhow::Context;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Upstream: the lease lasts 40 s and is renewed every quarter of it.
const LEASE_SECONDS: i32 = 40;
const RENEW: Duration = Duration::from_secs(10);
/// A status that has not changed is written this rarely. Upstream: nodeStatusReportFrequency.
const REPORT: u32 = 30;
const TIMEOUT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(200);

/// Makes the Node, or takes over the one that is there; tries until it works.
pub(super) async fn register(host: &Host, shutdown: &CancellationToken) -> anyhow::Result<Node> {
    loop {
        match tokio::time::timeout(TIMEOUT, register_once(host)).await {
            Ok(Ok(node)) => return Ok(node),
            Ok(Err(error)) => tracing::debug!(%error, "cannot register the node; trying again"),
            Err(_) => tracing::debug!("the API did not answer in {TIMEOUT:?}; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = shutdown.cancelled() => anyhow::bail!("stopped before the node was registered"),
        }
    }
}

async fn register_once(host: &Host) -> anyhow::Result<Node> {
    let api: Api<Node> = Api::all(host.config.client.clone());
    let name = &host.config.name;
    let now = runtime::clock::now();
    let wanted = object(host, now);
    let made: Node = serde_json::from_value(wanted.clone()).context("our own node object")?;
    match api.create(&PostParams::default(), &made).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 409 => {
            let patch = json!({"metadata": {"labels": wanted["metadata"]["labels"]}, "spec": wanted["spec"]});
            api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
                .await?;
        }
        Err(error) => return Err(error.into()),
    }
    let status = json!({"status": wanted["status"]});
    let node = api
        .patch_status(name, &PatchParams::default(), &Patch::Merge(status))
        .await?;
    renew(&host.config.client, &node, now).await?;
    Ok(node)
}

/// Renews the lease, and now and then the status, until `shutdown`.
pub(super) async fn keep_alive(host: Arc<Host>, node: Node, shutdown: CancellationToken) {
    let mut beats = 0_u32;
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW) => {}
            () = shutdown.cancelled() => return,
        }
        beats = beats.wrapping_add(1);
        let now = runtime::clock::now();
        let beat = async {
            renew(&host.config.client, &node, now).await?;
            if beats.is_multiple_of(REPORT) {
                let api: Api<Node> = Api::all(host.config.client.clone());
                let since = node
                    .metadata
                    .creation_timestamp
                    .as_ref()
                    .map_or(now, |t| t.0);
                let patch = json!({"status": {"conditions": conditions(now, since)}});
                api.patch_status(
                    &host.config.name,
                    &PatchParams::default(),
                    &Patch::Merge(patch),
                )
                .await?;
            }
            Ok::<_, kube::Error>(())
        };
        match tokio::time::timeout(TIMEOUT, beat).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "cannot renew the node's lease"),
            Err(_) => tracing::debug!("renewing the node's lease took over {TIMEOUT:?}"),
        }
    }
}

/// Renews a node's lease, or makes it.
pub(crate) async fn renew(client: &Client, node: &Node, now: Timestamp) -> kube::Result<()> {
    let api: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let renewed = json!({"spec": {"renewTime": micro(now), "holderIdentity": name}});
    match api
        .patch(name, &PatchParams::default(), &Patch::Merge(renewed))
        .await
    {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        other => return other.map(drop),
    }
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease", "ownerReferences": [{
            "apiVersion": "v1", "kind": "Node", "name": name, "uid": node.metadata.uid,
        }]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": micro(now)},
    });
    match serde_json::from_value::<Lease>(lease) {
        Ok(lease) => api.create(&PostParams::default(), &lease).await.map(drop),
        Err(error) => Err(kube::Error::SerdeError(error)),
    }
}

/// `metav1.MicroTime` has six decimals.
fn micro(time: Timestamp) -> String {
    format!("{time:.6}")
}

fn object(host: &Host, now: Timestamp) -> Value {
    let config = &host.config;
    let cidr = config.network.pod_cidr(config.number);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": config.name, "labels": {
            "kubernetes.io/hostname": config.name, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": architecture(),
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": architecture(),
        }},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": status(host, now),
    })
}

fn status(host: &Host, now: Timestamp) -> Value {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = meminfo_field(&meminfo, "MemTotal").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let resources = json!({
        "cpu": cores.to_string(), "memory": format!("{}Ki", memory / 1024), "pods": "110",
        "ephemeral-storage": ephemeral_storage(host),
    });
    let read = |file: &str| {
        std::fs::read_to_string(file)
            .map(|t| t.trim().to_owned())
            .unwrap_or_default()
    };
    let machine = read("/etc/machine-id");
    json!({
        "capacity": resources, "allocatable": resources,
        "addresses": [
            {"type": "InternalIP", "address": host.address().to_string()},
            {"type": "Hostname", "address": host.config.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": host.config.kubelet_port}},
        "nodeInfo": {
            "architecture": architecture(), "operatingSystem": "linux",
            "bootID": read("/proc/sys/kernel/random/boot_id"),
            "machineID": machine, "systemUUID": machine,
            "kernelVersion": read("/proc/sys/kernel/osrelease"),
            "osImage": os_image(&read("/etc/os-release")),
            "containerRuntimeVersion": format!("evenkeel://{}", env!("CARGO_PKG_VERSION")),
            "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
        },
        "conditions": conditions(now, now),
    })
}

fn ephemeral_storage(host: &Host) -> String {
    let bytes = rustix::fs::statvfs(&host.config.data_dir)
        .map(|s| s.f_blocks.saturating_mul(s.f_frsize))
        .unwrap_or_default();
    format!("{}Ki", bytes / 1024)
}

/// The conditions of a node that is well.
pub(crate) fn conditions(now: Timestamp, since: Timestamp) -> Value {
    let time = |t: Timestamp| format!("{t:.0}");
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": time(now), "lastTransitionTime": time(since),
        })
    };
    json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure"
        ),
        condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"
        ),
        condition(
            "Ready",
            "True",
            "KubeletReady",
            "kubelet is posting ready status"
        ),
    ])
}

/// Go's name of this architecture.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn os_image(release: &str) -> String {
    let line = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="));
    line.map_or("Linux", |l| l.trim_matches('"')).to_owned()
}
