//! Pods, Deployments and autoscalers to measure with.

use super::plane::Plane;
use crate::args::BenchHpaArgs;
use crate::bench::metrics_server::{POLL, count};
use crate::bench::process::Process;
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Pods of each Deployment: as many as simulated nodes' apps have.
pub(in crate::bench) const PODS: u32 = 15;
/// Of one namespace.
const APPS: u32 = 20;
const PODS_PER_NODE: u32 = 30;
/// How long the pods may take to run, for each thousand of them, and at least.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_MIN: Duration = Duration::from_secs(120);
/// Requests under way at once.
const CONCURRENT: usize = 16;

/// An app's namespace, by its number from 1.
pub(in crate::bench) fn namespace(app: u32) -> String {
    format!("simulated-{}", (app - 1) / APPS + 1)
}

/// An app's name, which its Deployment and its autoscaler have too.
pub(in crate::bench) fn name(app: u32) -> String {
    format!("app-{app}")
}

/// Joins simulated nodes to the control plane, and waits until all their pods run.
pub(in crate::bench) async fn pods(
    plane: &Plane,
    client: &Client,
    args: &BenchHpaArgs,
    folder: &Path,
) -> Result<Process> {
    let wanted = args.hpas * PODS;
    let program = vec![std::env::current_exe()?.into_os_string(), "lab".into()];
    let flags = [
        format!("--control-plane={}", plane.kubeconfig.display()),
        "--nodes=0".to_owned(),
        format!("--simulated-nodes={}", wanted.div_ceil(PODS_PER_NODE)),
        format!("--pods-per-node={}", PODS_PER_NODE.min(wanted)),
        "--containers-per-pod=1".to_owned(),
    ];
    let mut lab = Process::start(program, &flags, folder.join("lab.log"))?;
    let limit = PATIENCE_MIN + PATIENCE * (wanted / 1_000);
    let all_run = async {
        while count(client, "").await? < u64::from(wanted)
            || count(client, "status.phase=Pending").await? > 0
        {
            lab.check()?;
            tokio::time::sleep(POLL).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    let done = tokio::time::timeout(limit, all_run).await;
    done.context("the simulated pods never all ran")??;
    Ok(lab)
}

/// Makes a Deployment and an autoscaler for each app.
pub(in crate::bench) async fn create(client: &Client, args: &BenchHpaArgs) -> Result<()> {
    stream::iter(1..=args.hpas)
        .map(|app| create_one(client, app, args.reaction))
        .buffer_unordered(CONCURRENT)
        .try_collect::<()>()
        .await
        .context("cannot make the autoscalers")
}

async fn create_one(client: &Client, app: u32, moves: bool) -> Result<()> {
    let (namespace, name) = (namespace(app), name(app));
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    put(client, &deployments, &name, deployment(&name)).await?;
    let status =
        json!({"status": {"replicas": PODS, "readyReplicas": PODS, "updatedReplicas": PODS}});
    merge(client, &format!("{deployments}/{name}/status"), &status).await?;
    let autoscalers =
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    put(client, &autoscalers, &name, autoscaler(&name, moves)).await
}

/// Nobody carries out what it says: its pods are there already.
fn deployment(name: &str) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": PODS, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c0", "image": "simulated"}]},
            },
        },
    })
}

/// One that stays where it is, or one that may move.
fn autoscaler(name: &str, moves: bool) -> Value {
    let max = if moves { 10 * PODS } else { PODS };
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": PODS, "maxReplicas": max,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
            }}],
        },
    })
}

/// Makes an object; one that is there is made anew.
pub(in crate::bench) async fn put(
    client: &Client,
    path: &str,
    name: &str,
    object: Value,
) -> Result<()> {
    let send = |method: http::Method, path: String, body: Vec<u8>| async move {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(body)?;
        Ok::<_, anyhow::Error>(client.request::<Value>(request).await)
    };
    let body = serde_json::to_vec(&object)?;
    match send(http::Method::POST, path.to_owned(), body.clone()).await? {
        Err(kube::Error::Api(status)) if status.code == 409 => {
            drop(send(http::Method::DELETE, format!("{path}/{name}"), Vec::new()).await?);
            send(http::Method::POST, path.to_owned(), body).await??;
        }
        made => drop(made.with_context(|| format!("cannot make {path}/{name}"))?),
    }
    Ok(())
}

/// Patches an object.
pub(in crate::bench) async fn merge(client: &Client, path: &str, patch: &Value) -> Result<()> {
    let request = http::Request::patch(path)
        .header("content-type", "application/merge-patch+json")
        .body(serde_json::to_vec(patch)?)?;
    let done = client.request::<Value>(request).await;
    done.map(drop)
        .with_context(|| format!("cannot patch {path}"))
}
