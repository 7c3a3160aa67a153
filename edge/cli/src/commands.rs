//! What each subcommand does: sets up a runtime and a way to stop, and calls the part that does it.

use crate::args::{Cli, Command, Output};
use crate::explain::BadInput;
use crate::{bench, demo, explain, handover, lab};
use anyhow::{Context, Result};
use clap::CommandFactory;
use runtime::telemetry::LogFormat;
use std::future::Future;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// The answer is no, or something went wrong on the way.
const FAILED: u8 = 1;
/// The input is wrong.
const BAD_INPUT: u8 = 2;

/// Runs a command to its exit code.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::PodInit { spec } => return lab_node::pod_init::main(&spec),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "evenkeel",
                &mut std::io::stdout(),
            );
            return ExitCode::SUCCESS;
        }
        Command::Version { output } => version(output),
        Command::SampleApp(args) => sample_app::app::run(&args).map(|()| true),
        Command::SampleJob(args) => sample_app::job::run(&args).map(|()| true),
        Command::Demo(args) => with_runtime(None, |stop| demo::run(args, stop)),
        Command::Lab(args) => {
            let logs = args.v.map(|v| (v, LogFormat::Text));
            with_runtime(logs, |stop| lab::run(*args, stop))
        }
        Command::MetricsServer(args) if args.version => metrics_server_version(),
        Command::MetricsServer(args) => {
            let logs = Some((args.v, args.log_format()));
            with_runtime(logs, |stop| done(metrics_server::run(*args, stop)))
        }
        Command::HpaController(args) => with_runtime(Some((args.v, args.logging_format)), |stop| {
            done(hpa_controller::operate(*args, stop))
        }),
        Command::Explain(args) => with_runtime(None, |stop| explain::run(*args, stop)),
        Command::Adopt(args) => with_runtime(None, |stop| handover::adopt(*args, stop)),
        Command::Release(args) => with_runtime(None, |stop| handover::release(*args, stop)),
        Command::BenchLab(args) => with_runtime(None, |stop| done(bench::run(args, stop))),
        Command::Agreement(args) => with_runtime(None, |stop| bench::agreement::run(args, stop)),
        Command::BenchHpa(args) => with_runtime(None, |stop| done(bench::hpa::run(args, stop))),
        Command::BenchMetricsServer(args) => {
            with_runtime(None, |stop| done(bench::metrics_server::run(args, stop)))
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            complain(&error);
            let wrong = error.downcast_ref::<BadInput>().is_some();
            ExitCode::from(if wrong { BAD_INPUT } else { FAILED })
        }
    }
}

#[expect(clippy::print_stderr, reason = "the program speaks to people here")]
fn complain(error: &anyhow::Error) {
    eprintln!("evenkeel: {error:#}");
}

async fn done(work: impl Future<Output = Result<()>>) -> Result<bool> {
    work.await.map(|()| true)
}

/// Runs `work` with logs at a verbosity and in a format (errors only without these) and a token that Ctrl-C cancels.
fn with_runtime<F>(
    logs: Option<(u8, LogFormat)>,
    work: impl FnOnce(CancellationToken) -> F,
) -> Result<bool>
where
    F: Future<Output = Result<bool>>,
{
    match logs {
        Some((v, format)) => runtime::telemetry::init(v, format),
        None => runtime::telemetry::init_quiet(),
    }
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let done = tokio.block_on(async {
        let stop = runtime::signals::shutdown().context("cannot listen for signals")?;
        work(stop).await
    });
    // What still runs (a blocked read, a slow peer) may not keep the program from ending.
    tokio.shutdown_timeout(std::time::Duration::from_secs(2));
    done
}

#[expect(clippy::print_stdout, reason = "the version is data")]
fn version(output: Output) -> Result<bool> {
    let version = env!("CARGO_PKG_VERSION");
    let as_value = serde_json::json!({"version": version, "kubernetes": "v1.36"});
    match output {
        Output::Text => println!("evenkeel {version} (Kubernetes v1.36)"),
        Output::Json => println!("{}", serde_json::to_string_pretty(&as_value)?),
        Output::Yaml => println!("version: {version}\nkubernetes: v1.36"),
    }
    Ok(true)
}

/// As metrics-server prints its own.
#[expect(clippy::print_stdout, reason = "the version is data")]
fn metrics_server_version() -> Result<bool> {
    println!("{}", metrics_server::version());
    Ok(true)
}
