//! Simulated nodes' objects and leases.

use super::{CONCURRENT, Config, TAINT};
use crate::config::KUBELET_PORT;
use crate::node::object::{architecture, conditions, renew};
use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Upstream: a quarter of the lease's 40 s.
const RENEW: Duration = Duration::from_secs(10);

/// Makes the Node, with what its kubelet would write of it.
pub(super) async fn register(config: &Config, index: u16) -> Result<Node> {
    let name = Config::name(index);
    let api: Api<Node> = Api::all(config.client.clone());
    let wanted = object(config, index, &name)?;
    let node: Node = serde_json::from_value(wanted.clone()).context("our own node object")?;
    match api.create(&PostParams::default(), &node).await {
        Ok(_) => {}
        // A lab with a data directory knows it already.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => return Err(error).with_context(|| format!("cannot register {name}")),
    }
    let status = Patch::Merge(json!({"status": wanted["status"]}));
    let node = api
        .patch_status(&name, &PatchParams::default(), &status)
        .await
        .with_context(|| format!("cannot write the status of {name}"))?;
    renew(&config.client, &node, runtime::clock::now())
        .await
        .with_context(|| format!("cannot make the lease of {name}"))?;
    Ok(node)
}

fn object(config: &Config, index: u16, name: &str) -> Result<Value> {
    let address = config.network.simulated(index);
    let address = address.context("too many simulated nodes for the lab's addresses")?;
    let now = runtime::clock::now();
    let resources =
        json!({"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "100Gi"});
    let taints = match config.tainted {
        true => json!([{"key": TAINT, "effect": "NoSchedule"}]),
        false => Value::Null,
    };
    Ok(json!({
        "apiVersion": "v1", "kind": "Node",
        "spec": {"taints": taints},
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": architecture(), TAINT: "true",
        }},
        "status": {
            "capacity": resources, "allocatable": resources,
            "addresses": [
                {"type": "InternalIP", "address": address.to_string()},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
            "nodeInfo": {
                "architecture": architecture(), "operatingSystem": "linux", "bootID": "", "machineID": "",
                "systemUUID": "", "kernelVersion": "", "osImage": "simulated",
                "containerRuntimeVersion": format!("simulated://{}", env!("CARGO_PKG_VERSION")),
                "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
            },
            "conditions": conditions(now, now),
        },
    }))
}

/// Renews all leases until `shutdown`.
pub(super) async fn keep_alive(client: &Client, nodes: &[Node], shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW) => {}
            () = shutdown.cancelled() => return,
        }
        let now = runtime::clock::now();
        stream::iter(nodes)
            .for_each_concurrent(CONCURRENT, |node| async move {
                match tokio::time::timeout(RENEW, renew(client, node, now)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "cannot renew a lease"),
                    Err(_) => tracing::debug!("renewing a lease took over {RENEW:?}"),
                }
            })
            .await;
    }
}
