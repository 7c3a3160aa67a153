//! A simulated node's kubelet: it answers over TLS, to whom a real one would.

use super::pods::{Registry, SimulatedPod};
use super::{Config, usage};
use crate::config::KUBELET_PORT;
use crate::server::attributes;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use k8s::status::ApiError;
use runtime::auth::Delegated;
use runtime::certs::{Identity, parse_chain};
use runtime::serve::{Limits, Peer, serve, tls};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What a node uses besides its pods.
const SYSTEM: usage::Steady = usage::Steady {
    cpu_milli: 100,
    memory: 512 << 20,
};

struct Kubelet {
    node: String,
    /// Since when the node's own counter runs.
    since: Timestamp,
    registry: Arc<Registry>,
    auth: Arc<Delegated>,
}

/// Binds the kubelet's port and serves until `shutdown`.
pub(super) async fn start(
    config: &Config,
    index: u16,
    (registry, auth): (&Arc<Registry>, &Arc<Delegated>),
    shutdown: &CancellationToken,
) -> Result<()> {
    let name = Config::name(index);
    let address = config.network.simulated(index);
    let address = address.context("too many simulated nodes for the lab's addresses")?;
    let socket = SocketAddr::new(address.into(), KUBELET_PORT);
    let listener = TcpListener::bind(socket).await.with_context(|| {
        format!("cannot serve the kubelet of {name} on {socket} (is the limit of open files high enough?)")
    })?;
    let (certificate, key) = (config.certify)(&name, address)?;
    let identity = Identity {
        chain: parse_chain(certificate.as_bytes()).context("a kubelet's certificate")?,
        key: PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|e| anyhow::anyhow!("a kubelet's key: {e}"))?,
    };
    let kubelet = Arc::new(Kubelet {
        node: name,
        since: runtime::clock::now(),
        registry: Arc::clone(registry),
        auth: Arc::clone(auth),
    });
    let handler = move |request| {
        let kubelet = Arc::clone(&kubelet);
        async move { kubelet.answer(request).await }
    };
    tokio::spawn(serve(
        listener,
        tls(identity)?,
        Limits::default(),
        handler,
        shutdown.clone(),
    ));
    Ok(())
}

impl Kubelet {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let now = runtime::clock::now();
        if let Err(error) = self.admit(&request, now).await {
            let code = StatusCode::from_u16(error.code);
            let code = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return text(code, error.message);
        }
        match request.uri().path() {
            "/metrics/resource" => text(StatusCode::OK, self.metrics(now)),
            "/healthz" => text(StatusCode::OK, "ok".to_owned()),
            _ => text(StatusCode::NOT_FOUND, "404 page not found\n".to_owned()),
        }
    }

    async fn admit<B>(&self, request: &Request<B>, now: Timestamp) -> Result<(), ApiError> {
        let peer = request.extensions().get::<Peer>();
        let user = self.auth.authenticate(request.headers(), peer, now).await?;
        let wanted = attributes::attributes(request.method(), request.uri().path(), &self.node);
        for attributes in &wanted {
            match self.auth.authorize(&user, attributes).await {
                Ok(()) => return Ok(()),
                Err(error) if error.code == 403 => {}
                Err(error) => return Err(error),
            }
        }
        Err(attributes::forbidden(&user, &wanted))
    }

    fn metrics(&self, now: Timestamp) -> String {
        let pods: Vec<SimulatedPod> = self
            .registry
            .with(&self.node, |pods| pods.cloned().collect());
        render(&pods, self.since, now)
    }
}

fn text(code: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = code;
    let kind = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The text of `/metrics/resource`, families in the order of the Go library.
fn render(pods: &[SimulatedPod], since: Timestamp, now: Timestamp) -> String {
    let at = now.as_millisecond();
    let mut out = Families::default();
    let mut node_cpu = usage::counter(SYSTEM, age(since, now));
    let mut node_memory = SYSTEM.memory;
    for pod in pods {
        let SimulatedPod {
            namespace, name, ..
        } = pod;
        let (mut pod_cpu, mut pod_memory) = (0, 0);
        let started = pod.started.as_millisecond();
        for container in &pod.containers {
            let (cpu, memory) = (container.cpu(now), container.memory());
            let container = &container.name;
            let labels =
                format!("{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{name}\"}}");
            out.line(0, &labels, &seconds(cpu), Some(at));
            out.line(1, &labels, &memory.to_string(), Some(at));
            out.line(
                2,
                &labels,
                &format!("{}.{:03}", started / 1_000, started % 1_000),
                None,
            );
            pod_cpu += cpu;
            pod_memory += memory;
        }
        let labels = format!("{{namespace=\"{namespace}\",pod=\"{name}\"}}");
        out.line(5, &labels, &seconds(pod_cpu), Some(at));
        out.line(6, &labels, &pod_memory.to_string(), Some(at));
        node_cpu += pod_cpu;
        node_memory += pod_memory;
    }
    out.line(3, "", &seconds(node_cpu), Some(at));
    out.line(4, "", &node_memory.to_string(), Some(at));
    out.line(7, "", "0", None);
    out.finish()
}

/// Names, helps and types, in the order in which they are written.
const FAMILIES: [(&str, &str, &str); 8] = [
    (
        "container_cpu_usage_seconds_total",
        "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
        "counter",
    ),
    (
        "container_memory_working_set_bytes",
        "[STABLE] Current working set of the container in bytes",
        "gauge",
    ),
    (
        "container_start_time_seconds",
        "[STABLE] Start time of the container since unix epoch in seconds",
        "gauge",
    ),
    (
        "node_cpu_usage_seconds_total",
        "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
        "counter",
    ),
    (
        "node_memory_working_set_bytes",
        "[STABLE] Current working set of the node in bytes",
        "gauge",
    ),
    (
        "pod_cpu_usage_seconds_total",
        "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
        "counter",
    ),
    (
        "pod_memory_working_set_bytes",
        "[STABLE] Current working set of the pod in bytes",
        "gauge",
    ),
    (
        "resource_scrape_error",
        "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
        "gauge",
    ),
];

/// The lines of each family.
#[derive(Default)]
struct Families([String; 8]);

impl Families {
    fn line(&mut self, family: usize, labels: &str, value: &str, at: Option<i64>) {
        let out = &mut self.0[family];
        out.push_str(FAMILIES[family].0);
        out.push_str(labels);
        out.push(' ');
        out.push_str(value);
        if let Some(at) = at {
            // Writing to a string cannot fail.
            let _ = write!(out, " {at}");
        }
        out.push('\n');
    }

    fn finish(self) -> String {
        let mut all = String::with_capacity(self.0.iter().map(String::len).sum::<usize>() + 1_024);
        for ((name, help, kind), lines) in FAMILIES.iter().zip(&self.0) {
            if !lines.is_empty() {
                let _ = write!(all, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
            }
        }
        all
    }
}

/// Nanoseconds, but in whole milliseconds as the samples' own times are: then rates come out exact.
pub(super) fn age(since: Timestamp, now: Timestamp) -> u64 {
    let millis = now.as_millisecond() - since.as_millisecond();
    u64::try_from(millis).unwrap_or(0).saturating_mul(1_000_000)
}

fn seconds(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[cfg(test)]
mod tests;
