//! `cargo xtask bench lab`: how soon the lab is ready, how much memory it takes, how fast it writes.
//!
//! Prints figures; judges nothing. The client shares the machine's cores with the server, as kubectl does.

pub(crate) mod agreement;
mod child;
pub(crate) mod hpa;
pub(crate) mod metrics_server;
mod process;

use crate::args::BenchArgs;
use crate::lab::Home;
use anyhow::{Context, Result};
use futures::{AsyncBufReadExt, StreamExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use lab_server::Handle;
use runtime::network::LabNetwork;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Requests under way at once, as a busy controller has them.
const CONCURRENCY: usize = 64;
/// The longest a measurement may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs all measurements.
pub(crate) async fn run(args: BenchArgs, _shutdown: CancellationToken) -> Result<()> {
    let idle = child::measure().await?;
    say(
        "ready after start",
        &format!("{} ms", idle.ready.as_millis()),
    );
    say("resident memory, idle", &mebibytes(idle.resident_bytes));
    say(
        "resident memory, 100 pods more",
        &mebibytes(idle.resident_with_pods_bytes),
    );
    for (name, durable) in [("in memory", false), ("durable", true)] {
        let home = Home::temporary("evenkeel-bench")?;
        let stop = CancellationToken::new();
        let handle = start(durable.then(|| home.path().to_owned()), stop.clone()).await?;
        let client = tls_client(&handle).await?;
        let figures = tokio::time::timeout(LIMIT, creates(&client, args.objects)).await;
        let figures = figures.context("the measurement took too long")??;
        say(
            &format!("creates a second, {name}, over tls"),
            &format!("{:.0}", figures.creates),
        );
        say(
            &format!("watch events a second, {name}"),
            &format!("{:.0}", figures.events),
        );
        let service = Client::new(handle.server().as_user(admin()), "default");
        let figures = tokio::time::timeout(LIMIT, creates(&service, args.objects)).await;
        let figures = figures.context("the measurement took too long")??;
        say(
            &format!("creates a second, {name}, in process"),
            &format!("{:.0}", figures.creates),
        );
        stop.cancel();
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are the benchmark's data")]
fn say(what: &str, figure: &str) {
    println!("{what:<40} {figure:>12}");
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a tenth of a mebibyte is precise enough"
)]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn admin() -> lab_auth::User {
    lab_auth::User::new(
        "kubernetes-admin",
        &["system:masters", "system:authenticated"],
    )
}

async fn start(data_dir: Option<PathBuf>, stop: CancellationToken) -> Result<Handle> {
    let network = LabNetwork::new(*LabNetwork::BLOCKS.end()).context("the last block is one")?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    lab_server::start(
        lab_server::Config {
            data_dir,
            listen,
            network,
            gates: lab_server::Gates::default(),
        },
        stop,
    )
    .await
}

async fn tls_client(handle: &Handle) -> Result<Client> {
    let kubeconfig: Kubeconfig = Kubeconfig::from_yaml(&handle.admin_kubeconfig()?)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// Creates and watch events a second.
struct Figures {
    creates: f64,
    events: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
async fn creates(client: &Client, objects: usize) -> Result<Figures> {
    let watched = tokio::spawn(count_events(client.clone(), objects));
    let begun = Instant::now();
    let run = begun.elapsed().as_nanos() ^ u128::from(std::process::id());
    let prefix = format!("bench-{run:x}-{objects}");
    futures::stream::iter(0..objects)
        .map(|index| create(client, format!("{prefix}-{index}")))
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<Result<()>>>()
        .await
        .into_iter()
        .collect::<Result<()>>()?;
    let took = begun.elapsed().as_secs_f64();
    watched.await??;
    let seen = begun.elapsed().as_secs_f64();
    Ok(Figures {
        creates: objects as f64 / took,
        events: objects as f64 / seen,
    })
}

async fn create(client: &Client, name: String) -> Result<()> {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": format!("{name}-")},
        "data": {"key": "a value of some length, as configuration has it"},
    });
    let request = http::Request::post("/api/v1/namespaces/default/configmaps")
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&object)?)?;
    client
        .request::<Value>(request)
        .await
        .context("cannot create an object")?;
    Ok(())
}

async fn count_events(client: Client, wanted: usize) -> Result<()> {
    let list =
        http::Request::get("/api/v1/namespaces/default/configmaps?limit=1").body(Vec::new())?;
    let list: Value = client.request(list).await?;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("0");
    let path = format!("/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={version}");
    let mut lines = client
        .request_stream(http::Request::get(path).body(Vec::new())?)
        .await?
        .lines();
    for _ in 0..wanted {
        lines.next().await.context("the watch ended early")??;
    }
    Ok(())
}
