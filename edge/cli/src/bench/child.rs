//! A lab as its users start it: a process of its own, from the start to its first line.

use crate::lab::Home;
use anyhow::{Context, Result};
use kube::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// How long the lab may take to say that it is ready.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long memory is left to settle before it is read.
const SETTLE: Duration = Duration::from_secs(3);

/// What was measured.
pub(super) struct Idle {
    pub(super) ready: Duration,
    pub(super) resident_bytes: u64,
    pub(super) resident_with_pods_bytes: u64,
}

/// Starts a lab, measures it, and stops it.
pub(super) async fn measure() -> Result<Idle> {
    let home = Home::temporary("evenkeel-bench-child")?;
    let kubeconfig = home.path().join("kubeconfig");
    let begun = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["lab", "--secure-port", "0", "--kubeconfig"])
        .arg(&kubeconfig)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the lab")?;
    let output = child.stdout.take().context("the lab has no output")?;
    let mut lines = BufReader::new(output).lines();
    let first = tokio::time::timeout(READY_LIMIT, lines.next_line()).await;
    first
        .context("the lab did not become ready")??
        .context("the lab ended at once")?;
    let ready = begun.elapsed();
    tokio::time::sleep(SETTLE).await;
    let resident_bytes = resident(&child)?;
    create_pods(&kubeconfig).await?;
    tokio::time::sleep(SETTLE).await;
    let resident_with_pods_bytes = resident(&child)?;
    child.kill().await.context("cannot stop the lab")?;
    Ok(Idle {
        ready,
        resident_bytes,
        resident_with_pods_bytes,
    })
}

/// A hundred pods that no node takes: their objects, not their processes.
async fn create_pods(kubeconfig: &Path) -> Result<()> {
    let client: Client = runtime::client::connect(Some(kubeconfig)).await?;
    for index in 0..100 {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("bench-{index}")},
            "spec": {
                "nodeSelector": {"no-such": "node"},
                "containers": [{"name": "app", "image": "busybox", "args": ["sleep", "1"]}],
            },
        });
        let request = http::Request::post("/api/v1/namespaces/default/pods")
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&pod)?)?;
        client
            .request::<Value>(request)
            .await
            .context("cannot create a pod")?;
    }
    Ok(())
}

fn resident(child: &Child) -> Result<u64> {
    let pid = child.id().context("the lab has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}
