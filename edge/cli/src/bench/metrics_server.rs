//! `cargo xtask bench metrics-server`: what scraping and serving cost, for ours and, if asked, upstream's.
//!
//! The nodes are a lab's simulated ones, in a process of their own; each program then runs in turn, as its
//! manifest would start it, and is measured from outside: what the operating system says that it used.

mod requests;

use super::process::{Process, Used};
use crate::args::BenchMetricsServerArgs;
use crate::lab::Home;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use serde_json::Value;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const RESOLUTION: Duration = Duration::from_secs(15);
/// How long simulated pods may take to run, for each thousand of them, and at least.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_MIN: Duration = Duration::from_secs(60);
/// How long a program may take until it has something to serve.
const READY_LIMIT: Duration = Duration::from_secs(120);
pub(super) const POLL: Duration = Duration::from_millis(250);

/// What one program needed.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Seconds of CPU for a scrape cycle.
    cycle: f64,
    resident: u64,
    all: requests::Cost,
    namespace: requests::Cost,
    app: requests::Cost,
}

/// Runs all measurements.
pub(crate) async fn run(args: BenchMetricsServerArgs, stop: CancellationToken) -> Result<()> {
    tokio::select! {
        done = measure(&args) => done,
        () = stop.cancelled() => anyhow::bail!("interrupted"),
    }
}

async fn measure(args: &BenchMetricsServerArgs) -> Result<()> {
    let vs: Option<Vec<OsString>> = args.vs.as_deref().map(words);
    if let Some(path) = vs.iter().flatten().next() {
        let is_file = Path::new(path).is_file();
        ensure!(is_file, "--vs: there is no program {}", path.display());
    }
    let home = Home::temporary("evenkeel-bench")?;
    let kubeconfig = home.path().join("kubeconfig");
    let _lab = nodes(args, &kubeconfig).await?;
    let pods = u32::from(args.nodes) * u32::from(args.pods_per_node);
    say(&format!(
        "{} nodes, {pods} pods, {} containers each; scraped every {} s, {} cycles measured",
        args.nodes,
        args.containers_per_pod,
        RESOLUTION.as_secs(),
        args.cycles,
    ));
    let own = vec![
        std::env::current_exe()?.into_os_string(),
        "metrics-server".into(),
    ];
    let ours = program(args, own, home.path()).await?;
    let theirs = match vs {
        None => None,
        Some(words) => Some(program(args, words, home.path()).await?),
    };
    print(&ours, theirs.as_ref());
    Ok(())
}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

/// Starts the lab, and waits until all its pods run.
async fn nodes(args: &BenchMetricsServerArgs, kubeconfig: &Path) -> Result<Process> {
    let program = vec![std::env::current_exe()?.into_os_string(), "lab".into()];
    let mut flags = vec![
        "--secure-port=0".to_owned(),
        "--nodes=0".to_owned(),
        format!("--simulated-nodes={}", args.nodes),
        format!("--pods-per-node={}", args.pods_per_node),
        format!("--containers-per-pod={}", args.containers_per_pod),
    ];
    flags.push(format!("--kubeconfig={}", kubeconfig.display()));
    let mut lab = Process::start(program, &flags, kubeconfig.with_extension("lab.log"))?;
    let wanted = u64::from(args.nodes) * u64::from(args.pods_per_node);
    let thousands = u32::try_from(wanted / 1_000).unwrap_or(u32::MAX);
    let limit = PATIENCE_MIN + PATIENCE * thousands;
    let run = async {
        while !kubeconfig.exists() {
            lab.check()?;
            tokio::time::sleep(POLL).await;
        }
        let client: Client = runtime::client::connect(Some(kubeconfig)).await?;
        all_run(&client, wanted, &mut lab).await
    };
    let done = tokio::time::timeout(limit, run).await;
    done.context("the simulated pods never all ran")??;
    Ok(lab)
}

/// Waits until so many pods are there and none is pending.
pub(super) async fn all_run(client: &Client, wanted: u64, lab: &mut Process) -> Result<()> {
    while count(client, "").await? < wanted || count(client, "status.phase=Pending").await? > 0 {
        lab.check()?;
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// How many pods there are.
async fn count(client: &Client, fields: &str) -> Result<u64> {
    let path = format!("/api/v1/pods?limit=1&fieldSelector={fields}");
    let list: Value = client
        .request(http::Request::get(path).body(Vec::new())?)
        .await?;
    let here = list["items"].as_array().map_or(0, Vec::len) as u64;
    Ok(here + list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0))
}

/// Runs one program on the nodes and measures it.
async fn program(
    args: &BenchMetricsServerArgs,
    program: Vec<OsString>,
    folder: &Path,
) -> Result<Figures> {
    let kubeconfig = folder.join("kubeconfig");
    let port = free_port()?;
    let flags = flags(
        &kubeconfig,
        port,
        &format!("{}s", RESOLUTION.as_secs()),
        folder,
    )?;
    let log = folder.join(format!("metrics-server-{port}.log"));
    let mut running = Process::start(program, &flags, log)?;
    let config = config(&kubeconfig, port).await?;
    let ready = async {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            running.check()?;
            tokio::time::sleep(POLL).await;
        }
        let client = Client::try_from(config.clone())?;
        while !requests::ready(&client, &requests::Wanted::all(args)).await {
            running.check()?;
            tokio::time::sleep(POLL).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    let done = tokio::time::timeout(READY_LIMIT, ready).await;
    done.context("it never served the figures of all pods")??;
    // The cycle that made it ready is not half measured.
    tokio::time::sleep(RESOLUTION).await;
    let before = running.used()?;
    tokio::time::sleep(RESOLUTION * u32::from(args.cycles)).await;
    let after = running.used()?;
    let idle = Used::rate(before, after, RESOLUTION * u32::from(args.cycles));
    let measure = |wanted| requests::measure(&config, wanted, &running, idle);
    Ok(Figures {
        cycle: idle * RESOLUTION.as_secs_f64(),
        resident: after.resident,
        all: measure(requests::Wanted::all(args)).await?,
        namespace: measure(requests::Wanted::namespace(args)).await?,
        app: measure(requests::Wanted::app(args)).await?,
    })
}

/// What a manifest would give a metrics server, and how to reach a cluster from outside.
pub(super) fn flags(
    kubeconfig: &Path,
    port: u16,
    resolution: &str,
    folder: &Path,
) -> Result<Vec<String>> {
    let authority = authority(kubeconfig)?;
    let kubeconfig = kubeconfig.display();
    let certificates = folder.join(format!("certs-{port}"));
    Ok(vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", certificates.display()),
        // Less than the resolution, which may be ten seconds.
        "--kubelet-request-timeout=5s".to_owned(),
        format!("--metric-resolution={resolution}"),
        "--kubelet-use-node-status-port".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!("--kubelet-certificate-authority={}", authority.display()),
    ])
}

/// The lab's authority, in a file: its kubelets' certificates are checked.
fn authority(kubeconfig: &Path) -> Result<PathBuf> {
    let read = Kubeconfig::read_from(kubeconfig)?;
    let cluster = read.clusters.first().and_then(|c| c.cluster.as_ref());
    let data = cluster.and_then(|c| c.certificate_authority_data.as_deref());
    let pem = data.context("the lab's kubeconfig names no authority")?;
    let file = kubeconfig.with_extension("ca.pem");
    let pem = BASE64.decode(pem).context("the authority is no base64")?;
    std::fs::write(&file, pem)?;
    Ok(file)
}

/// How to reach the program itself, as the lab's administrator.
async fn config(kubeconfig: &Path, port: u16) -> Result<Config> {
    let read = Kubeconfig::read_from(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    config.cluster_url = format!("https://127.0.0.1:{port}").parse()?;
    // Its certificate is self-signed.
    config.accept_invalid_certs = true;
    Ok(config)
}

pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

#[expect(clippy::print_stdout, reason = "figures are the benchmark's data")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a tenth of a mebibyte is precise enough"
)]
fn print(ours: &Figures, theirs: Option<&Figures>) {
    let row = |what: &str, unit: &str, of: &dyn Fn(&Figures) -> f64| {
        let own = of(ours);
        let mut line = format!("{what:<44} {own:>10.2} {unit:<4}");
        if let Some(theirs) = theirs.map(of) {
            line += &format!(
                "  upstream {theirs:>10.2} {unit:<4}  {:>6.1} ×",
                theirs / own
            );
        }
        say(&line);
    };
    row("cpu per scrape cycle", "ms", &|f| f.cycle * 1e3);
    row("resident memory", "MiB", &|f| {
        f.resident as f64 / f64::from(1 << 20)
    });
    type Part = fn(&Figures) -> requests::Cost;
    let lists: [(&str, Part); 3] = [
        ("all pods", |f| f.all),
        ("a namespace of 300", |f| f.namespace),
        ("an app of 15, new connection", |f| f.app),
    ];
    for (what, cost) in lists {
        row(&format!("list of {what}: cpu"), "ms", &|f| {
            cost(f).cpu * 1e3
        });
        row(&format!("list of {what}: latency, median"), "ms", &|f| {
            cost(f).median * 1e3
        });
        row(&format!("list of {what}: size"), "kB", &|f| {
            cost(f).bytes as f64 / 1e3
        });
    }
}
