//! `cargo xtask bench hpa`: what autoscaling costs a real control plane, with our programs and with upstream's in turn.
//!
//! The pods are a lab's simulated ones. Their Deployments have no controller: nothing moves but what is measured.

pub(super) mod plane;
mod reaction;
pub(super) mod sides;
pub(super) mod targets;

use super::metrics_server::say;
use super::process;
use crate::args::{BenchHpaArgs, Sides};
use crate::lab::Home;
use anyhow::{Context, Result};
use kube::Client;
use plane::Plane;
use sides::Side;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long figures are left to become usual before they are read.
const SETTLE: Duration = Duration::from_secs(35);
const MINUTE: Duration = Duration::from_secs(60);

/// What one side needs, in seconds of CPU a minute and bytes.
#[derive(Debug, Clone, Copy)]
struct Figures {
    controller: f64,
    api_server: f64,
    metrics_server: f64,
    resident: u64,
}

/// Runs the measurement.
pub(crate) async fn run(args: BenchHpaArgs, stop: CancellationToken) -> Result<()> {
    tokio::select! {
        done = measure(&args) => done,
        () = stop.cancelled() => anyhow::bail!("interrupted"),
    }
}

async fn measure(args: &BenchHpaArgs) -> Result<()> {
    let home = Home::temporary("evenkeel-bench-hpa")?;
    let plane = Plane::read(&args.control_plane)?;
    let client = runtime::client::connect(Some(&plane.kubeconfig)).await?;
    let _lab = targets::pods(&plane, &client, args, home.path()).await?;
    say(&format!(
        "{} autoscalers of {} pods; sync period {}, scraped every {}",
        args.hpas, args.pods, args.period, args.resolution,
    ));
    if args.reaction {
        return reaction::measure(&plane, &client, args, home.path()).await;
    }
    let idle = idle(&plane, &client, args).await?;
    say(&format!(
        "cpu a minute: API server, before either side runs {idle:>8.2} s (taken off below)"
    ));
    let mut found = Vec::new();
    for side in chosen(args.of) {
        let figures = cost(&plane, side, args, home.path()).await?;
        let api_server = figures.api_server - idle;
        found.push((
            side,
            Figures {
                api_server,
                ..figures
            },
        ));
    }
    print(&found);
    Ok(())
}

/// What the API server needs a minute with all objects and without programs that scale: nodes tell it that they live.
async fn idle(plane: &Plane, client: &Client, args: &BenchHpaArgs) -> Result<f64> {
    targets::create(client, args).await?;
    tokio::time::sleep(SETTLE).await;
    let before = process::used(plane.api_server)?;
    tokio::time::sleep(MINUTE).await;
    let after = process::used(plane.api_server)?;
    Ok(process::Used::rate(before, after, MINUTE) * 60.0)
}

fn chosen(of: Sides) -> Vec<Side> {
    match of {
        Sides::Ours => vec![Side::Ours],
        Sides::Upstream => vec![Side::Upstream],
        Sides::Both => vec![Side::Ours, Side::Upstream],
    }
}

/// Runs one side's programs and measures them.
async fn cost(
    plane: &Plane,
    side: Side,
    args: &BenchHpaArgs,
    folder: &std::path::Path,
) -> Result<Figures> {
    let client = runtime::client::connect(Some(&plane.kubeconfig)).await?;
    // Made anew for each side: a status says that this side has decided.
    targets::create(&client, args).await?;
    let mut running = sides::start(plane, &client, side, args, folder).await?;
    sides::decided(&client, args.hpas, &mut running).await?;
    tokio::time::sleep(SETTLE).await;
    let read = || {
        Ok::<_, anyhow::Error>([
            running.controller.used()?,
            process::used(plane.api_server)?,
            running.metrics_server.used()?,
        ])
    };
    let before = read()?;
    tokio::time::sleep(MINUTE * args.minutes).await;
    let after = read()?;
    let rates = before
        .into_iter()
        .zip(after)
        .map(|(before, after)| process::Used::rate(before, after, MINUTE * args.minutes) * 60.0);
    let rates: Vec<f64> = rates.collect();
    let [controller, api_server, metrics_server] = rates[..] else {
        anyhow::bail!("three programs are measured");
    };
    let [controller_used, ..] = after;
    running.end().await.context("cannot end the programs")?;
    Ok(Figures {
        controller,
        api_server,
        metrics_server,
        resident: controller_used.resident,
    })
}

fn print(found: &[(Side, Figures)]) {
    let of = |side: Side| found.iter().find(|(s, _)| *s == side).map(|(_, f)| f);
    let row = |what: &str, unit: &str, get: &dyn Fn(&Figures) -> f64| {
        let (ours, theirs) = (of(Side::Ours).map(get), of(Side::Upstream).map(get));
        let figure =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2} {unit}"));
        let ratio = ours
            .zip(theirs)
            .map_or_else(String::new, |(o, t)| format!("{:>8.1} ×", t / o));
        say(&format!(
            "{what:<44} {:>14}  upstream {:>14} {ratio}",
            figure(ours),
            figure(theirs)
        ));
    };
    row("cpu a minute: controller", "s", &|f| f.controller);
    row("cpu a minute: API server, beyond idle", "s", &|f| {
        f.api_server
    });
    row("cpu a minute: metrics server", "s", &|f| f.metrics_server);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a hundredth of a mebibyte is precise enough"
    )]
    row("resident memory: controller", "MiB", &|f| {
        f.resident as f64 / f64::from(1 << 20)
    });
}
