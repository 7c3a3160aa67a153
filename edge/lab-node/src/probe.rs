//! Probes: whether a container is started, alive, ready.
//!
//! Upstream: pkg/kubelet/prober/{prober,worker}.go, pkg/probe.

mod http;
mod schedule;

pub use http::get;

use crate::instance::{ExecOutput, Instance};
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Has it started?
    Startup,
    /// Must it be killed?
    Liveness,
    /// May it get requests?
    Readiness,
}

impl Purpose {
    /// As events say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

/// What one try said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Yes.
    Success,
    /// No, because.
    Failure(String),
    /// Nobody listens yet, or no more.
    Refused(String),
    /// The probe itself went wrong.
    Error(String),
}

/// What a probe tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One try failed; for an event.
    Tried(String),
    /// The threshold is reached: it holds, or it does not.
    Decided(bool),
}

/// What is probed.
#[derive(Debug, Clone)]
pub struct Target {
    /// The pod's address.
    pub address: IpAddr,
    /// The container, for the names of its ports.
    pub container: Arc<Container>,
    /// The instance, for commands.
    pub instance: Arc<Instance>,
}

/// Probes until `tell` says that nobody wants to know, or until it is decided for good.
pub async fn run(
    purpose: Purpose,
    probe: Probe,
    target: Target,
    tell: impl FnMut(Verdict) -> bool,
) {
    schedule::run(purpose, &probe, || check(&probe, &target), tell).await;
}

async fn check(probe: &Probe, target: &Target) -> Outcome {
    let limit = probe
        .timeout_seconds
        .and_then(|s| u64::try_from(s).ok())
        .filter(|s| *s > 0);
    let limit = Duration::from_secs(limit.unwrap_or(1));
    if let Some(action) = &probe.exec {
        let command = action.command.clone().unwrap_or_default();
        return match target.instance.exec_output(&command, limit).await {
            ExecOutput::Ended { code: 0, .. } => Outcome::Success,
            ExecOutput::Ended { output, .. } => Outcome::Failure(output),
            ExecOutput::TimedOut => Outcome::Failure(format!(
                "command timed out: {command:?} timed out after {}s",
                limit.as_secs()
            )),
            ExecOutput::Failed(why) => Outcome::Error(why),
        };
    }
    if let Some(action) = &probe.http_get {
        return match port(&action.port, &target.container) {
            None => Outcome::Error(format!("invalid port: {:?}", action.port)),
            Some(port) => {
                get(
                    action,
                    SocketAddr::new(target.address, port),
                    limit,
                    "probe",
                )
                .await
            }
        };
    }
    if let Some(action) = &probe.tcp_socket {
        let Some(port) = port(&action.port, &target.container) else {
            return Outcome::Error(format!("invalid port: {:?}", action.port));
        };
        let host = action
            .host
            .as_deref()
            .and_then(|h| h.parse().ok())
            .unwrap_or(target.address);
        return connect(SocketAddr::new(host, port), limit).await;
    }
    if probe.grpc.is_some() {
        return Outcome::Error(
            "the lab has no grpc probes; use httpGet, tcpSocket or exec".to_owned(),
        );
    }
    Outcome::Error("missing probe handler".to_owned())
}

async fn connect(address: SocketAddr, limit: Duration) -> Outcome {
    match timeout(limit, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(_)) => Outcome::Success,
        Ok(Err(error)) => Outcome::Refused(dial_error(address, &error)),
        Err(_) => Outcome::Failure(format!("dial tcp {address}: i/o timeout")),
    }
}

/// Go's words.
fn dial_error(address: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            format!("dial tcp {address}: connect: connection refused")
        }
        _ => format!("dial tcp {address}: {error}"),
    }
}

/// A port's number, or that of the container's port of this name.
pub fn port(port: &IntOrString, container: &Container) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok().filter(|n| *n > 0),
        IntOrString::String(name) => {
            let ports = container.ports.iter().flatten();
            let named = ports.filter(|p| p.name.as_ref() == Some(name));
            let number = named
                .filter_map(|p| u16::try_from(p.container_port).ok())
                .next();
            number.or_else(|| name.parse().ok()).filter(|n| *n > 0)
        }
    }
}
