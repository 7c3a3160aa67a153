//! One side's programs: a metrics server behind the aggregation layer, and a controller.

use super::plane::Plane;
use super::targets::put;
use crate::args::BenchHpaArgs;
use crate::bench::metrics_server::{POLL, flags, free_port};
use crate::bench::process::Process;
use anyhow::{Context, Result};
use kube::Client;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// How long until every autoscaler has been decided on.
const PATIENCE: Duration = Duration::from_secs(240);

/// Whose programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Side {
    Ours,
    Upstream,
}

/// The programs that run.
pub(super) struct Running {
    pub(super) controller: Process,
    pub(super) metrics_server: Process,
}

impl Running {
    /// Ends both.
    pub(super) async fn end(self) -> Result<()> {
        self.controller.end().await?;
        self.metrics_server.end().await
    }
}

/// Starts them.
pub(super) async fn start(
    plane: &Plane,
    client: &Client,
    side: Side,
    args: &BenchHpaArgs,
    folder: &Path,
) -> Result<Running> {
    let own = std::env::current_exe()?.into_os_string();
    let program = |ours: &str, theirs: &str| -> Vec<OsString> {
        match side {
            Side::Ours => vec![own.clone(), ours.into()],
            Side::Upstream => vec![plane.binary.clone().into(), theirs.into()],
        }
    };
    let log = |name: &str| folder.join(format!("{name}-{side:?}.log"));
    let program_words = program("metrics-server", "metrics-server");
    let metrics_server = scraper(plane, client, program_words, &args.resolution, folder).await?;
    let flags = match side {
        Side::Ours => vec![
            format!("--kubeconfig={}", plane.kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            format!("--horizontal-pod-autoscaler-sync-period={}", args.period),
        ],
        // The first is the program's name.
        Side::Upstream => plane.autoscaling(&args.period)[1..].to_vec(),
    };
    let controller = Process::start(
        program("hpa-controller", "kube-controller-manager"),
        &flags,
        log("controller"),
    )?;
    Ok(Running {
        controller,
        metrics_server,
    })
}

/// Below ten seconds, which the flag does not allow, ours is told by its environment, as in a lab.
fn hurried(
    program: Vec<OsString>,
    mut flags: Vec<String>,
    resolution: &str,
) -> (Vec<OsString>, Vec<String>) {
    let shortest = units::Duration::from_seconds(10);
    if resolution
        .parse()
        .is_ok_and(|r: units::Duration| r >= shortest)
    {
        return (program, flags);
    }
    flags.retain(|f| !f.starts_with("--metric-resolution") && !f.starts_with("--kubelet-request"));
    flags.push("--kubelet-request-timeout=500ms".to_owned());
    let told = format!("EVENKEEL_METRIC_RESOLUTION={resolution}");
    let env = ["env".into(), told.into()];
    (env.into_iter().chain(program).collect(), flags)
}

/// Our metrics server alone.
pub(in crate::bench) async fn metrics_server(
    plane: &Plane,
    client: &Client,
    resolution: &str,
    folder: &Path,
) -> Result<Process> {
    let own = std::env::current_exe()?.into_os_string();
    let program = vec![own, "metrics-server".into()];
    scraper(plane, client, program, resolution, folder).await
}

/// A metrics server that the API server finds.
async fn scraper(
    plane: &Plane,
    client: &Client,
    program: Vec<OsString>,
    resolution: &str,
    folder: &Path,
) -> Result<Process> {
    let port = free_port()?;
    let flags = flags(&plane.kubeconfig, port, resolution, folder)?;
    let (program, flags) = hurried(program, flags, resolution);
    let log = folder.join(format!("metrics-server-{port}.log"));
    let server = Process::start(program, &flags, log)?;
    register(client, port).await?;
    Ok(server)
}

/// Lets the API server find it: on loopback a Service can only be a name.
async fn register(client: &Client, port: u16) -> Result<()> {
    let name = "metrics-server";
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    });
    put(
        client,
        "/api/v1/namespaces/kube-system/services",
        name,
        service,
    )
    .await?;
    let api = "v1beta1.metrics.k8s.io";
    let object = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": api},
        "spec": {
            "group": "metrics.k8s.io", "version": "v1beta1", "insecureSkipTLSVerify": true,
            "groupPriorityMinimum": 100, "versionPriority": 100,
            "service": {"name": name, "namespace": "kube-system", "port": port},
        },
    });
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    put(client, path, api, object).await
}

/// Waits until every autoscaler's status has current figures.
pub(super) async fn decided(client: &Client, hpas: u32, running: &mut Running) -> Result<()> {
    let all = async {
        loop {
            running.controller.check()?;
            running.metrics_server.check()?;
            if active(client).await? >= hpas as usize {
                return Ok::<_, anyhow::Error>(());
            }
            tokio::time::sleep(POLL * 8).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, all).await;
    done.context("the autoscalers were not all decided on")?
}

async fn active(client: &Client) -> Result<usize> {
    let path = "/apis/autoscaling/v2/horizontalpodautoscalers";
    let list: Value = client
        .request(http::Request::get(path).body(Vec::new())?)
        .await?;
    let items = list["items"].as_array().into_iter().flatten();
    Ok(items
        .filter(|hpa| {
            let conditions = hpa["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| {
                condition["type"] == "ScalingActive" && condition["status"] == "True"
            })
        })
        .count())
}
