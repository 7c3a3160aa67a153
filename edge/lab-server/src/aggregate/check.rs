//! Whether an APIService's backend answers: first what the store knows of its Service, then a request.
//!
//! Upstream: kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go.

use super::connect;
use super::endpoint::{self, SLICES};
use super::forward::speak_for;
use super::remote::{Remote, Trust};
use crate::backend::{Backend, Payload};
use crate::body::{Body, full};
use crate::server::Inner;
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};
use http::header::{ACCEPT, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use lab_auth::User;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// For a backend's answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How many endpoints are asked at a time; one answer is enough.
const ASKED: usize = 5;
/// The largest discovery document that is read.
const DOCUMENT_MAX: usize = 4 << 20;

/// What is said of an APIService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) available: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Verdict {
    pub(super) fn no(reason: &'static str, message: String) -> Self {
        Self {
            available: false,
            reason,
            message,
        }
    }

    pub(super) fn passed() -> Self {
        Self {
            available: true,
            reason: "Passed",
            message: "all checks passed".to_owned(),
        }
    }

    pub(super) fn local() -> Self {
        Self {
            available: true,
            reason: "Local",
            message: "Local APIServices are always available".to_owned(),
        }
    }
}

/// Everything that a verdict depends on, as long as nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Inputs {
    uid: String,
    service: (String, String, u16),
    service_revision: u64,
    slices: Vec<u64>,
}

/// What the store says.
pub(super) enum Known {
    /// Nobody can answer.
    Verdict(Verdict),
    /// These can be asked.
    Ask(Vec<SocketAddr>),
}

/// Looks at the Service and its endpoints.
pub(super) fn known(backend: &Backend, remote: &Remote) -> (Inputs, Known) {
    let (namespace, name, port) = (&remote.namespace, &remote.service, remote.port);
    let service = endpoint::service(backend, namespace, name);
    let slices = endpoint::slices(backend, namespace, name);
    let inputs = Inputs {
        uid: remote.uid.clone(),
        service: (namespace.clone(), name.clone(), port),
        service_revision: service.as_ref().map_or(0, |stored| stored.revision),
        slices: slices.iter().map(|stored| stored.revision).collect(),
    };
    let known = match judge(remote, service, &slices) {
        Some(verdict) => Known::Verdict(verdict),
        None => match endpoint::resolve(backend, (namespace, name), port) {
            Ok(addresses) => Known::Ask(addresses),
            Err(why) => Known::Verdict(Verdict::no("FailedDiscoveryCheck", why)),
        },
    };
    (inputs, known)
}

fn judge(remote: &Remote, service: Option<Payload>, slices: &[Payload]) -> Option<Verdict> {
    let (namespace, name, port) = (&remote.namespace, &remote.service, remote.port);
    let Some(service) = service.map(|stored| stored.value()) else {
        let message = format!("service/{name} in {namespace:?} is not present");
        return Some(Verdict::no("ServiceNotFound", message));
    };
    if service["spec"]["type"].as_str().unwrap_or("ClusterIP") != "ClusterIP" {
        return None;
    }
    let Some(port_name) = endpoint::port_name(&service, port) else {
        let message = format!("service/{name} in {namespace:?} is not listening on port {port}");
        return Some(Verdict::no("ServicePortError", message));
    };
    if slices.is_empty() {
        let message = format!("cannot find endpointslices for service/{name} in {namespace:?}");
        return Some(Verdict::no("EndpointsNotFound", message));
    }
    if endpoint::ready(slices, &port_name).is_empty() {
        let message = format!(
            "endpointslices for service/{name} in {namespace:?} have no addresses with port name {port_name:?}"
        );
        return Some(Verdict::no("MissingEndpoints", message));
    }
    None
}

/// Asks some endpoints for the group's discovery; the first good answer counts.
pub(super) async fn ask(
    inner: &Inner,
    remote: &Remote,
    addresses: &[SocketAddr],
) -> Result<Bytes, String> {
    let path = &remote.path();
    let mut asked: FuturesUnordered<_> = addresses
        .iter()
        .take(ASKED)
        .map(|address| async move {
            let url = format!("https://{address}{path}");
            let answer = get(inner, remote, &url).await;
            answer.map_err(|why| format!("failing or missing response from {url}: {why}"))
        })
        .collect();
    let mut last = "no endpoint was asked".to_owned();
    while let Some(answer) = asked.next().await {
        match answer {
            Ok(document) => return Ok(document),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// Asks a backend for a document, with every right and without a look at its certificate: the
/// document is not trusted with more than being shown.
pub(super) async fn get(inner: &Inner, remote: &Remote, url: &str) -> Result<Bytes, String> {
    let remote = Remote {
        trust: Trust::Anything,
        ..remote.clone()
    };
    let client = inner.aggregator.client(&remote);
    let client = client.map_err(|error| format!("{error:#}"))?;
    let request = request(url)?;
    let exchange = async {
        let response = client.request(request).await;
        let response = response.map_err(|error| quoted(url, &connect::words(&error)))?;
        let status = response.status();
        if !(StatusCode::OK..StatusCode::MULTIPLE_CHOICES).contains(&status) {
            return Err(format!("bad status from {url}: {}", status.as_u16()));
        }
        let body = Limited::new(response.into_body(), DOCUMENT_MAX).collect();
        let body = body
            .await
            .map_err(|error| quoted(url, &error.to_string()))?;
        Ok(body.to_bytes())
    };
    let answer = timeout(ANSWER, exchange).await;
    answer.unwrap_or_else(|_| {
        let words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        Err(quoted(url, words))
    })
}

fn quoted(url: &str, why: &str) -> String {
    format!("Get {url:?}: {why}")
}

fn request(url: &str) -> Result<Request<Body>, String> {
    let mut request = Request::get(url)
        .body(full(""))
        .map_err(|error| error.to_string())?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json);
    let user = User::new("system:kube-aggregator", &["system:masters"]);
    speak_for(&user, request.headers_mut());
    Ok(request)
}

/// The collections that [`known`] reads.
pub(super) const COLLECTIONS: [&str; 2] = [endpoint::SERVICES, SLICES];
