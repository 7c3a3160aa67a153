//! Pods, Deployments and autoscalers to measure with.

use super::plane::Plane;
use crate::args::BenchHpaArgs;
use crate::bench::metrics_server::all_run;
use crate::bench::process::Process;
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

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
    let wanted = args.hpas * args.pods;
    let program = vec![std::env::current_exe()?.into_os_string(), "lab".into()];
    let flags = [
        format!("--control-plane={}", plane.kubeconfig.display()),
        "--nodes=0".to_owned(),
        format!("--simulated-nodes={}", wanted.div_ceil(PODS_PER_NODE)),
        format!("--pods-per-node={}", PODS_PER_NODE.min(wanted)),
        format!("--pods-per-app={}", args.pods),
        "--containers-per-pod=1".to_owned(),
    ];
    let mut lab = Process::start(program, &flags, folder.join("lab.log"))?;
    let limit = PATIENCE_MIN + PATIENCE * (wanted / 1_000);
    let done = tokio::time::timeout(limit, all_run(client, wanted.into(), &mut lab)).await;
    done.context("the simulated pods never all ran")??;
    Ok(lab)
}

/// Makes a Deployment and an autoscaler for each app.
pub(in crate::bench) async fn create(client: &Client, args: &BenchHpaArgs) -> Result<()> {
    stream::iter(1..=args.hpas)
        .map(|app| create_one(client, app, args))
        .buffer_unordered(CONCURRENT)
        .try_collect::<()>()
        .await
        .context("cannot make the autoscalers")
}

async fn create_one(client: &Client, app: u32, args: &BenchHpaArgs) -> Result<()> {
    let (namespace, name, pods) = (namespace(app), name(app), args.pods);
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    put(client, &deployments, &name, deployment(&name, args.pods)).await?;
    let status =
        json!({"status": {"replicas": pods, "readyReplicas": pods, "updatedReplicas": pods}});
    merge(client, &format!("{deployments}/{name}/status"), &status).await?;
    let autoscalers =
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    put(client, &autoscalers, &name, autoscaler(&name, args)).await
}

/// Nobody carries out what it says: its pods are there already.
fn deployment(name: &str, pods: u32) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": pods, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c0", "image": "simulated"}]},
            },
        },
    })
}

/// One that stays where it is, or one that may move.
fn autoscaler(name: &str, args: &BenchHpaArgs) -> Value {
    let pods = args.pods;
    let max = if args.reaction { 10 * pods } else { pods };
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": pods, "maxReplicas": max,
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
    if ensure(client, path, &object).await? {
        return Ok(());
    }
    let gone = http::Request::delete(format!("{path}/{name}")).body(Vec::new())?;
    drop(client.request::<Value>(gone).await);
    let made = ensure(client, path, &object).await?;
    anyhow::ensure!(made, "cannot make {path}/{name}: the old one does not go");
    Ok(())
}

/// Makes an object, and gives whether it was not there.
pub(in crate::bench) async fn ensure(client: &Client, path: &str, object: &Value) -> Result<bool> {
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object)?)?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot make an object at {path}")),
    }
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
