//! The exercise itself: set up, load, watch; what was seen becomes a timeline.

use super::load::Load;
use super::manifests::{self, APP, NAMESPACE};
use super::observe::{self, Figures, wait_for};
use super::plan::{Level, Plan};
use super::progress::Progress;
use super::rows;
use super::timeline::{Rescale, Sample, Setting, Timeline};
use crate::lab::Lab;
use anyhow::Result;
use hpa_controller::{DecisionRecord, OnDecision, Unit};
use kube::Client;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often the state is sampled.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How long anything of the set-up may take.
const SETUP_LIMIT: Duration = Duration::from_secs(120);
/// Rows that may wait to be printed.
const ROWS_MAX: usize = 256;
/// Decisions that are kept: only those that change something are, so a run has a handful.
const RESCALES_MAX: usize = 1000;

/// The rescales that the HPA controller told of, with when they were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decisions(Arc<Mutex<Vec<(Instant, Rescale)>>>);

impl Decisions {
    /// What the HPA controller calls.
    pub(crate) fn hook(&self) -> OnDecision {
        let kept = self.clone();
        Arc::new(move |record| kept.keep(record))
    }

    fn keep(&self, record: &DecisionRecord) {
        let ours = record.namespace == NAMESPACE && record.name == APP;
        if !ours || !record.rescale {
            return;
        }
        let rescale = Rescale {
            at_seconds: 0.0,
            from: record.current,
            to: record.desired,
            utilization_percent: utilization(record),
            reason: derivation(record),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < RESCALES_MAX {
            kept.push((Instant::now(), rescale));
        }
    }

    fn since(&self, start: Instant) -> Vec<Rescale> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let placed = kept.iter().map(|(at, rescale)| Rescale {
            at_seconds: signed_seconds(*at, start),
            ..rescale.clone()
        });
        placed.collect()
    }
}

/// The figure in percent that a decision saw.
fn utilization(record: &DecisionRecord) -> Option<i32> {
    let metric = record.metrics.iter().find(|m| m.unit == Unit::Percent)?;
    i32::try_from(metric.current).ok()
}

/// The arithmetic before the reason: `63 % against 50 %: 63/50 × 2 = 2.52, rounded up to 3`.
fn derivation(record: &DecisionRecord) -> String {
    let percent = record.metrics.iter().find(|m| m.unit == Unit::Percent);
    let Some(metric) = percent.filter(|m| m.target > 0) else {
        return record.reason.clone();
    };
    let (seen, target, from) = (metric.current, metric.target, i64::from(record.current));
    let hundredths = seen.saturating_mul(from).saturating_mul(100) / target;
    let rounded =
        seen.saturating_mul(from) / target + i64::from(seen.saturating_mul(from) % target != 0);
    // Pods that count differently (new, without figures) change the sum: then only its result is told.
    let sum = if rounded == i64::from(metric.proposal) {
        let (whole, part) = (hundredths / 100, hundredths % 100);
        format!("{seen}/{target} × {from} = {whole}.{part:02}, rounded up to {rounded}")
    } else {
        format!("asks for {}", metric.proposal)
    };
    format!("cpu {seen} % against {target} %: {sum} ({})", record.reason)
}

fn signed_seconds(at: Instant, start: Instant) -> f64 {
    match at.checked_duration_since(start) {
        Some(after) => after.as_secs_f64(),
        None => -start.duration_since(at).as_secs_f64(),
    }
}

/// Runs everything; gives the timeline and when the load ended, in seconds since it began.
pub(crate) async fn exercise(
    lab: &Lab,
    plan: &Plan,
    decisions: &Decisions,
    progress: &mut Progress,
) -> Result<(Timeline, f64)> {
    let client = lab.admin_client();
    set_up(&client, progress).await?;
    let target = wait_for("the service's address", SETUP_LIMIT, || {
        observe::service_address(&client)
    });
    let target = target.await?;
    progress.say(&format!("  load goes to http://{target}/health\n"));

    let stop = CancellationToken::new();
    let _stop_when_done: DropGuard = stop.clone().drop_guard();
    let mut driver = Driver {
        rows: watch_rows(&client, &stop),
        load: Load::start(target, stop),
        client,
        plan,
        progress,
        start: Instant::now(),
        samples: Vec::new(),
        answered_before: 0,
        failed_before: 0,
    };
    driver.hold(Duration::from_secs(3)).await?;
    let load_end = driver.all_levels().await?;
    let timeline = Timeline {
        setting: Setting {
            name: format!("{NAMESPACE}/{APP}"),
            min: 2,
            max: 5,
            target_percent: 50,
            periods: plan.periods(),
        },
        rescales: decisions.since(driver.start),
        samples: driver.samples,
    };
    Ok((timeline, load_end))
}

async fn set_up(client: &Client, progress: &mut Progress) -> Result<()> {
    let begun = Instant::now();
    let created = manifests::create_all(client).await?;
    for line in &created {
        progress.say(&format!("  {line}"));
    }
    wait_for("two ready pods of backend-app", SETUP_LIMIT, || {
        observe::app_ready(client)
    })
    .await?;
    progress.done("backend-app is ready", begun.elapsed().as_secs_f64());
    wait_for("an available metrics API", SETUP_LIMIT, || {
        observe::metrics_api_available(client)
    })
    .await?;
    progress.done("metrics-server is available", begun.elapsed().as_secs_f64());
    wait_for("a first figure of the HPA", SETUP_LIMIT, || {
        observe::utilization_known(client)
    })
    .await?;
    progress.done("the HPA sees utilization", begun.elapsed().as_secs_f64());
    Ok(())
}

fn watch_rows(client: &Client, stop: &CancellationToken) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(ROWS_MAX);
    let (client, stop) = (client.clone(), stop.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            ended = rows::watch(client, NAMESPACE, sender) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "the watch of the HPA ended");
                }
            }
        }
    });
    receiver
}

/// Drives the load and keeps what is seen meanwhile.
struct Driver<'a> {
    client: Client,
    plan: &'a Plan,
    progress: &'a mut Progress,
    load: Load,
    rows: mpsc::Receiver<String>,
    start: Instant,
    samples: Vec<Sample>,
    answered_before: u64,
    failed_before: u64,
}

impl Driver<'_> {
    /// All levels of load, one after the other; when the load was gone, in seconds.
    async fn all_levels(&mut self) -> Result<f64> {
        let mut load_end = 0.0;
        for (index, level) in self.plan.levels().iter().enumerate() {
            self.wait_for_new_sample().await?;
            if index == 0 {
                self.begin_clock();
            }
            self.load.set_rate(level.requests_per_second());
            if level.millicores == 0 {
                load_end = self.start.elapsed().as_secs_f64();
            }
            self.reach(*level).await?;
            self.hold(self.plan.hold).await?;
        }
        Ok(load_end)
    }

    /// The clock counts from the load's beginning: what was sampled before is moved to before it.
    fn begin_clock(&mut self) {
        let passed = self.start.elapsed().as_secs_f64();
        for sample in &mut self.samples {
            sample.at_seconds -= passed;
        }
        self.start = Instant::now();
    }

    /// A step right after a scrape keeps each sample to one level of load. A load that steps in the
    /// middle of a window is averaged, and the HPA passes through numbers in between.
    async fn wait_for_new_sample(&mut self) -> Result<()> {
        let before = observe::sample_times(&self.client).await?;
        let deadline = Instant::now() + 3 * self.plan.metric_resolution;
        while Instant::now() < deadline && observe::sample_times(&self.client).await? == before {
            self.take_sample_when_due().await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn reach(&mut self, level: Level) -> Result<()> {
        let deadline = Instant::now() + self.plan.level_limit;
        while Instant::now() < deadline {
            self.take_sample_when_due().await?;
            let reached = self
                .samples
                .last()
                .is_some_and(|s| s.replicas == level.replicas && s.ready == level.replicas);
            if reached {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.progress.say(&format!(
            "{} replicas were not reached within {} s; going on",
            level.replicas,
            self.plan.level_limit.as_secs(),
        ));
        Ok(())
    }

    async fn hold(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.take_sample_when_due().await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn take_sample_when_due(&mut self) -> Result<()> {
        while let Ok(line) = self.rows.try_recv() {
            self.progress.row(&line);
        }
        let now = self.start.elapsed().as_secs_f64();
        let since = self
            .samples
            .last()
            .map_or(f64::INFINITY, |last| now - last.at_seconds);
        if since < SAMPLE_EVERY.as_secs_f64() {
            return Ok(());
        }
        let figures = observe::figures(&self.client).await?;
        let answered = self.load.answered();
        let failed = self.load.failed();
        if failed > self.failed_before {
            tracing::debug!(failed, "requests that got no answer so far");
            self.failed_before = failed;
        }
        let new = u32::try_from(answered - self.answered_before).unwrap_or(u32::MAX);
        self.answered_before = answered;
        let answered_rps = if since.is_finite() {
            f64::from(new) / since
        } else {
            0.0
        };
        self.keep(now, answered_rps, figures);
        Ok(())
    }

    fn keep(&mut self, at_seconds: f64, answered_rps: f64, figures: Figures) {
        let offered_rps = self.load.rate();
        self.progress
            .status(at_seconds, (offered_rps, answered_rps), figures);
        self.samples.push(Sample {
            at_seconds,
            offered_rps,
            answered_rps,
            utilization_percent: figures.utilization_percent,
            replicas: figures.replicas,
            ready: figures.ready,
        });
    }
}
