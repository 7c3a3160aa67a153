//! The kubelet's HTTPS server: metrics, logs, and commands in containers.
//!
//! Upstream: pkg/kubelet/server/{server,auth}.go. Here are routes and admission; `logs`, `stats` and
//! `streams` answer, `refusal` says no.

pub(crate) mod attributes;
mod logs;
mod query;
mod refusal;
mod stats;
mod streams;

use crate::host::Host;
use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use jiff::Timestamp;
use k8s::status::ApiError;
use k8s_openapi::api::core::v1::Pod;
use runtime::auth::{Authorities, Delegated, Options};
use runtime::certs::{Identity, parse_chain};
use runtime::serve::{Limits, Peer, serve, tls};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A body of any kind.
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The kubelet's server.
struct Kubelet {
    host: Arc<Host>,
    auth: Delegated,
}

/// Binds the kubelet's port and serves until `shutdown`.
pub(crate) async fn start(
    host: Arc<Host>,
    shutdown: CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let config = &host.config;
    let address = SocketAddr::new(host.address().into(), config.kubelet_port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot serve the kubelet of {} on {address}", config.name))?;
    let identity = Identity {
        chain: parse_chain(config.serving_cert_pem.as_bytes())
            .context("the kubelet's certificate")?,
        key: PrivateKeyDer::from_pem_slice(config.serving_key_pem.as_bytes())
            .map_err(|e| anyhow::anyhow!("the kubelet's key: {e}"))?,
    };
    let roots = parse_chain(config.client_ca_pem.as_bytes()).context("the kubelet's client CA")?;
    let options = Options {
        anonymous: false,
        authorities: Authorities::default().with_client_ca(&roots)?,
        lookup: false,
        always_allow: Vec::new(),
        ..Options::default()
    };
    let auth = Delegated::new(config.client.clone(), options);
    let tls = tls(identity)?;
    let kubelet = Arc::new(Kubelet {
        host: Arc::clone(&host),
        auth,
    });
    let handler = move |request| {
        let kubelet = Arc::clone(&kubelet);
        async move { kubelet.answer(request).await }
    };
    Ok(tokio::spawn(serve(
        listener,
        tls,
        Limits::default(),
        handler,
        shutdown,
    )))
}

impl Kubelet {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.try_answer(request).await {
            Ok(response) => response,
            Err(error) => refusal::response(&error),
        }
    }

    async fn try_answer(&self, mut request: Request<Incoming>) -> Result<Response<Body>, ApiError> {
        let now = runtime::clock::now();
        self.admit(&request, now).await?;
        let path = request.uri().path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["healthz"] | ["healthz", "ping"]) => {
                Ok(text("text/plain; charset=utf-8", "ok"))
            }
            (&Method::GET, ["pods"]) => Ok(self.pods()),
            (&Method::GET, ["metrics", "resource"]) => stats::resource_metrics(&self.host).await,
            (&Method::GET, ["stats", "summary"]) => stats::summary(&self.host).await,
            (&Method::GET, ["containerLogs", namespace, pod, container]) => {
                let query = request.uri().query().unwrap_or_default();
                logs::logs(&self.host, (namespace, pod, container), query, now)
            }
            (&Method::GET | &Method::POST, ["exec", namespace, pod, container]) => {
                streams::exec(&self.host, (namespace, pod, container), &mut request)
            }
            (&Method::GET | &Method::POST, ["attach", namespace, pod, container]) => {
                streams::attach(&self.host, (namespace, pod, container), &mut request)
            }
            (&Method::GET | &Method::POST, ["portForward", namespace, pod]) => {
                streams::port_forward(&self.host, (namespace, pod), &mut request)
            }
            (_, parts) => Err(refusal::no_route(is_known(parts))),
        }
    }

    /// Lets pass whom the API knows, with what it allows them. Upstream: InstallAuthFilter.
    async fn admit<B>(&self, request: &Request<B>, now: Timestamp) -> Result<(), ApiError> {
        let peer = request.extensions().get::<Peer>();
        let user = self.auth.authenticate(request.headers(), peer, now).await?;
        let (path, node) = (request.uri().path(), &self.host.config.name);
        let wanted = attributes::attributes(request.method(), path, node);
        for attributes in &wanted {
            match self.auth.authorize(&user, attributes).await {
                Ok(()) => return Ok(()),
                Err(error) if error.code == 403 => {}
                Err(error) => return Err(error),
            }
        }
        Err(attributes::forbidden(&user, &wanted))
    }

    fn pods(&self) -> Response<Body> {
        let items: Vec<Arc<Pod>> = self
            .host
            .pods
            .all()
            .iter()
            .map(|entry| entry.pod())
            .collect();
        let items: Vec<&Pod> = items.iter().map(AsRef::as_ref).collect();
        let list = serde_json::json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items});
        text("application/json", list.to_string())
    }
}

/// Whether a path takes some method.
fn is_known(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["healthz" | "pods"]
            | ["healthz", "ping"]
            | ["metrics", "resource"]
            | ["stats", "summary"]
            | ["containerLogs" | "exec" | "attach", _, _, _]
            | ["portForward", _, _]
    )
}

fn text(kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
