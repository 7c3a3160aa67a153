//! Logs: one line an event, on stderr, as much of it as `-v` asks for.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// How a line of the log is written. Upstream: --logging-format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// An object a line, for programs
    Json,
}

/// Sends logs to stderr at klog's verbosity `v`; `RUST_LOG` refines it.
///
/// Does nothing when logs already go somewhere, so that several parts of one process may call it.
pub fn init(v: u8, format: LogFormat) {
    let filter = EnvFilter::builder()
        .with_default_directive(level(v).into())
        .from_env_lossy()
        .add_directive_if_absent(v);
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(v >= 4);
    let done = match format {
        LogFormat::Text => lines.with_ansi(colour).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if done.is_err() {
        tracing::debug!("logs are already set up");
    }
}

/// Sends only what went wrong to stderr, for programs whose own words are what people read there;
/// `RUST_LOG` asks for more.
pub fn init_quiet() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::ERROR.into())
        .from_env_lossy();
    let filter = match "kube_client::client::builder=off".parse() {
        Ok(quiet) if std::env::var_os("RUST_LOG").is_none() => filter.add_directive(quiet),
        _ => filter,
    };
    let done = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
    if done.is_err() {
        tracing::debug!("logs are already set up");
    }
}

/// klog's levels on tracing's: 0 to 3 inform, from 4 on debug, from 8 on everything.
fn level(v: u8) -> LevelFilter {
    match v {
        0..=3 => LevelFilter::INFO,
        4..=7 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

/// Libraries that speak too much below the highest verbosity.
trait Quieten {
    fn add_directive_if_absent(self, v: u8) -> Self;
}

impl Quieten for EnvFilter {
    fn add_directive_if_absent(self, v: u8) -> Self {
        if v >= 8 || std::env::var_os("RUST_LOG").is_some() {
            return self;
        }
        [
            "hyper=warn",
            "hyper_util=warn",
            "rustls=warn",
            "h2=warn",
            "tower=warn",
            "kube_client=info",
            // Every answer that is an error, which its caller knows and speaks of.
            "kube_client::client::builder=off",
        ]
        .iter()
        .filter_map(|text| text.parse().ok())
        .fold(self, EnvFilter::add_directive)
    }
}
