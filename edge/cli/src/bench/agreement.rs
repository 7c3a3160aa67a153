//! `cargo xtask agreement`: upstream's controller acts, ours looks at the same in its shadow, and what they want is
//! compared at every step.
//!
//! The workloads are simulated pods under upstream's Deployment controller and scheduler. Both controllers are started
//! with the same flags, and ours decides once in a period as upstream does.

mod compare;
mod workload;

use super::hpa::plane::Plane;
use super::hpa::sides;
use super::metrics_server::{POLL, say};
use super::process::Process;
use crate::args::AgreementArgs;
use crate::lab::Home;
use anyhow::{Context, Result};
use compare::{Decided, differences};
use futures::{AsyncBufReadExt, StreamExt};
use kube::Client;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use workload::{Phase, Workload};

/// Shorter than by default, so that a run sees much in some minutes.
const FLAGS: [&str; 4] = [
    "--horizontal-pod-autoscaler-sync-period=5s",
    "--horizontal-pod-autoscaler-downscale-stabilization=30s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=20s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
];
const RESOLUTION: &str = "10s";
/// Two looks, and the time that a write takes to be seen.
const WINDOW: Duration = Duration::from_secs(12);

/// What upstream's controller wrote, in order.
type Written = Arc<Mutex<Vec<Decided>>>;

/// Runs the comparison; `false` where they differ.
pub(crate) async fn run(args: AgreementArgs, stop: CancellationToken) -> Result<bool> {
    tokio::select! {
        agree = compared(&args) => agree,
        () = stop.cancelled() => anyhow::bail!("interrupted"),
    }
}

async fn compared(args: &AgreementArgs) -> Result<bool> {
    let home = Home::temporary("evenkeel-agreement")?;
    let plane = Plane::read(&args.control_plane)?;
    let client = runtime::client::connect(Some(&plane.kubeconfig)).await?;
    let _lab = workload::nodes(&plane, home.path())?;
    let workloads = workload::create(&client).await?;
    let written = Written::default();
    let watching = tokio::spawn(watch(client.clone(), Arc::clone(&written)));
    let log = home.path().join("decisions.jsonl");
    let mut stage = Stage {
        plane: &plane,
        client: &client,
        folder: home.path(),
        metrics_server: None,
        controllers: None,
        log: &log,
    };
    stage.begin().await?;
    for phase in Phase::ALL {
        say(&format!("{phase}"));
        stage.play(phase, &workloads).await?;
    }
    stage.end().await?;
    watching.abort();
    let theirs = written
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let ours = read(&log)?;
    tell(&theirs, &ours)
}

/// The programs on stage.
struct Stage<'a> {
    plane: &'a Plane,
    client: &'a Client,
    folder: &'a Path,
    metrics_server: Option<Process>,
    /// Upstream's and ours.
    controllers: Option<(Process, Process)>,
    log: &'a Path,
}

impl Stage<'_> {
    async fn begin(&mut self) -> Result<()> {
        self.serve_metrics().await?;
        self.control()
    }

    async fn serve_metrics(&mut self) -> Result<()> {
        let server = sides::metrics_server(self.plane, self.client, RESOLUTION, self.folder);
        self.metrics_server = Some(server.await?);
        Ok(())
    }

    fn control(&mut self) -> Result<()> {
        let mut theirs = self.plane.autoscaling("5s")[1..].to_vec();
        theirs.extend(FLAGS.map(str::to_owned));
        let upstream = Process::start(
            vec![
                self.plane.binary.clone().into(),
                "kube-controller-manager".into(),
            ],
            &theirs,
            self.folder.join("upstream.log"),
        )?;
        let mut flags = vec![
            format!("--kubeconfig={}", self.plane.kubeconfig.display()),
            format!("--decision-log={}", self.log.display()),
            "--shadow".to_owned(),
            "--decide-on-samples=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        flags.extend(FLAGS.map(str::to_owned));
        let own = vec![
            std::env::current_exe()?.into_os_string(),
            "hpa-controller".into(),
        ];
        let ours = Process::start(own, &flags, self.folder.join("ours.log"))?;
        self.controllers = Some((upstream, ours));
        Ok(())
    }

    async fn stop_controllers(&mut self) -> Result<()> {
        if let Some((upstream, ours)) = self.controllers.take() {
            upstream.end().await?;
            ours.end().await?;
        }
        Ok(())
    }

    async fn stop_metrics(&mut self) -> Result<()> {
        match self.metrics_server.take() {
            Some(server) => server.end().await,
            None => Ok(()),
        }
    }

    async fn play(&mut self, phase: Phase, workloads: &[Workload]) -> Result<()> {
        match phase {
            Phase::NoMetrics => self.stop_metrics().await?,
            Phase::MetricsAgain => self.serve_metrics().await?,
            Phase::Restart => {
                self.stop_controllers().await?;
                self.control()?;
            }
            Phase::Rollout => {
                for workload in workloads {
                    workload.roll_out(self.client).await?;
                }
            }
            Phase::Base | Phase::High | Phase::Low => {}
        }
        let until = Instant::now() + phase.lasts();
        while Instant::now() < until {
            self.check()?;
            for workload in workloads {
                workload.load(self.client, phase).await?;
            }
            sleep(POLL * 4).await;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        if let Some((upstream, ours)) = &mut self.controllers {
            upstream.check()?;
            ours.check()?;
        }
        self.metrics_server.as_mut().map_or(Ok(()), Process::check)
    }

    async fn end(mut self) -> Result<()> {
        self.stop_controllers().await?;
        self.stop_metrics().await
    }
}

/// Notes what is written to each autoscaler's status.
async fn watch(client: Client, written: Written) -> Result<()> {
    let path = "/apis/autoscaling/v2/horizontalpodautoscalers?watch=true";
    let request = http::Request::get(path).body(Vec::new())?;
    let stream = client.request_stream(request).await;
    let mut lines = stream.context("cannot watch autoscalers")?.lines();
    while let Some(line) = lines.next().await {
        let event: Value = serde_json::from_str(&line?)?;
        if let Some(decided) = Decided::of_status(runtime::clock::now(), &event["object"]) {
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push(decided);
        }
    }
    Ok(())
}

/// What our controller decided.
fn read(log: &Path) -> Result<Vec<Decided>> {
    let text = std::fs::read_to_string(log).context("our controller wrote no decisions")?;
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line)?;
            Decided::of_log(&value).context("a line of our decision log says too little")
        })
        .collect()
}

fn tell(theirs: &[Decided], ours: &[Decided]) -> Result<bool> {
    let found = differences(theirs, ours, WINDOW);
    let steps = compare::steps(theirs);
    say(&format!(
        "upstream wrote {} statuses with {} steps; ours decided {} times",
        theirs.len(),
        steps,
        ours.len()
    ));
    for difference in &found {
        say(&format!("differs: {difference}"));
    }
    anyhow::ensure!(
        steps >= 10,
        "only {steps} steps were seen: that compares nothing"
    );
    say(if found.is_empty() {
        "they agree at every step"
    } else {
        "they do not agree"
    });
    Ok(found.is_empty())
}
