//! `evenkeel demo`: the EKS exercise from nothing to the report, in one process, in a few minutes.
//!
//! Nothing is scripted but the load: real HTTP requests at a set rate. What it costs is measured from
//! the operating system, and what is decided is decided by the HPA controller.

mod load;
pub(crate) mod manifests;
mod observe;
mod plan;
mod progress;
mod report;
mod rows;
mod run;
mod timeline;

use crate::args::DemoArgs;
use crate::lab::{Home, Lab, LabConfig};
use anyhow::{Context, Result};
use plan::Plan;
use progress::Progress;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Runs the demo; `Ok(false)` when it was interrupted.
pub(crate) async fn run(args: DemoArgs, shutdown: CancellationToken) -> Result<bool> {
    let plan = if args.faithful {
        Plan::faithful()
    } else {
        Plan::short()
    };
    let home = Home::temporary("evenkeel-demo")?;
    let mut progress = Progress::new();
    progress.say(&plan.introduction());

    // The lab outlives the demo's own token: it must still answer while the demo cleans up.
    let lab_shutdown = CancellationToken::new();
    let decisions = run::Decisions::default();
    let started = tokio::time::Instant::now();
    let lab = Lab::start(lab_config(&plan, &home, &decisions), lab_shutdown.clone()).await?;
    progress.done("the lab is up", started.elapsed().as_secs_f64());

    let finished = tokio::select! {
        () = shutdown.cancelled() => None,
        timeline = run::exercise(&lab, &plan, &decisions, &mut progress) => Some(timeline),
    };
    progress.end();
    lab_shutdown.cancel();
    lab.stopped().await;
    let Some(timeline) = finished else {
        progress.say("interrupted: everything that was started has been stopped");
        return Ok(false);
    };
    let (timeline, load_end) = timeline?;
    tell(&mut progress, &timeline, load_end);
    let report = args
        .report
        .unwrap_or_else(|| PathBuf::from("evenkeel-demo.html"));
    std::fs::write(&report, report::html(&timeline, Some(load_end)))
        .with_context(|| format!("cannot write the report to {}", report.display()))?;
    let report = report.canonicalize().unwrap_or(report);
    progress.row(&format!("report: {}", report.display()));
    Ok(true)
}

fn lab_config(plan: &Plan, home: &Home, decisions: &run::Decisions) -> LabConfig {
    let mut config = LabConfig::in_folder(home.path().to_owned());
    config.hpa = plan.hpa_config(decisions.hook());
    config.pod_env = plan.pod_environment();
    config
}

fn tell(progress: &mut Progress, run: &timeline::Timeline, load_end_seconds: f64) {
    let summary = run.summary(Some(load_end_seconds));
    let time = |seconds: Option<f64>| {
        seconds.map_or_else(|| "it never happened".to_owned(), timeline::duration_text)
    };
    progress.row("");
    progress.row(&format!("replicas: {}", run.path()));
    progress.row(&format!(
        "load to first scale-up: {}",
        time(summary.first_scale_up)
    ));
    progress.row(&format!(
        "load to last scale-up: {}",
        time(summary.last_scale_up)
    ));
    progress.row(&format!("peak: {} replicas", summary.peak));
    let back = time(summary.back_at_min);
    progress.row(&format!(
        "load's end to {} replicas: {back}",
        run.setting.min
    ));
}
