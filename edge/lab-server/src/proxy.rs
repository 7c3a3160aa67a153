//! Requests that somebody else answers: a kubelet (logs, exec, …), a pod, a Service's pods.
//!
//! A connection that is upgraded (WebSocket or SPDY) becomes a tunnel of bytes in both directions.
//!
//! Upstream: apimachinery/pkg/util/proxy/upgradeaware.go, pkg/registry/core/pod/strategy.go.

use crate::body::{Body, BoxError, Reply, boxed, full, text};
use crate::call::Call;
use http::header::{CONNECTION, HOST, HeaderValue, UPGRADE};
use http::{HeaderMap, Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s::status::ApiError;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

mod refusal;
mod target;

/// For a connection to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// Whom to ask, and for what.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// TLS with the API server's own certificate; plain otherwise.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// Path and query.
    pub(crate) path: String,
}

/// Answers a subresource that is somebody else's.
pub(crate) async fn answer(call: &Call, name: &str, request: Request<Body>) -> Reply {
    match target::find(call, name)? {
        Some(target) => {
            let answer = forward(call, target, request).await?;
            if name != "log" {
                return Ok(answer);
            }
            let error = |refusal| refusal::error(call.resource.named(), call.name(), refusal);
            refusal::check(answer).await.map_err(error)
        }
        // A pod that is not scheduled has an empty log.
        None => Ok(text(StatusCode::OK, "")),
    }
}

/// Passes a request on and the answer back.
pub(crate) async fn forward(call: &Call, target: Target, request: Request<Body>) -> Reply {
    let failed = |error: BoxError| {
        ApiError::internal(format!(
            "error dialing backend: {}: {error}",
            target.address
        ))
    };
    let stream = timeout(CONNECT, TcpStream::connect(target.address));
    let stream = stream
        .await
        .map_err(|_| failed("it does not answer".into()))?;
    let stream = stream.map_err(|error| failed(error.into()))?;
    stream.set_nodelay(true).ok();
    match &target.tls {
        None => exchange(call, &target, TokioIo::new(stream), request).await,
        Some(config) => {
            let name = ServerName::from(target.address.ip());
            let handshake = TlsConnector::from(config.clone()).connect(name, stream);
            let stream = timeout(CONNECT, handshake).await;
            let stream = stream.map_err(|_| failed("the TLS handshake took too long".into()))?;
            let stream = stream.map_err(|error| failed(error.into()))?;
            exchange(call, &target, TokioIo::new(stream), request).await
        }
    }
}

async fn exchange<S>(
    call: &Call,
    target: &Target,
    stream: TokioIo<S>,
    mut request: Request<Body>,
) -> Reply
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| {
        ApiError::unavailable(format!("error trying to reach service: {error}"))
    };
    let (mut sender, connection) = http1::handshake(stream).await.map_err(failed)?;
    let shutdown = call.inner.shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            ended = connection.with_upgrades() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a proxied connection ended");
                }
            }
            () = shutdown.cancelled() => {}
        }
    });
    let upgrade = hyper::upgrade::on(&mut request);
    let mut response = sender
        .send_request(outgoing(target, request)?)
        .await
        .map_err(failed)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response.map(boxed));
    }
    let backend = hyper::upgrade::on(&mut response);
    let shutdown = call.inner.shutdown.clone();
    tokio::spawn(async move {
        let tunnel = async {
            let (client, backend) = tokio::try_join!(upgrade, backend)?;
            let (mut client, mut backend) = (TokioIo::new(client), TokioIo::new(backend));
            // Either side may simply hang up; that ends the tunnel.
            let _ = copy_bidirectional(&mut client, &mut backend).await;
            Ok::<_, hyper::Error>(())
        };
        tokio::select! {
            ended = tunnel => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection could not be upgraded");
                }
            }
            () = shutdown.cancelled() => {}
        }
    });
    let (parts, _) = response.into_parts();
    Ok(http::Response::from_parts(parts, full("")))
}

/// The request as it is sent on: to the target's path, without the caller's credentials.
fn outgoing(target: &Target, request: Request<Body>) -> Result<Request<Body>, ApiError> {
    let (parts, body) = request.into_parts();
    let mut builder =
        Request::builder()
            .method(parts.method)
            .uri(target.path.parse::<Uri>().map_err(|error| {
                ApiError::bad_request(format!("the path {:?} is not valid: {error}", target.path))
            })?);
    if let Some(headers) = builder.headers_mut() {
        *headers = passed_on(&parts.headers, target.address);
    }
    builder.body(body).map_err(ApiError::internal)
}

fn passed_on(headers: &HeaderMap, address: SocketAddr) -> HeaderMap {
    let mut passed = headers.clone();
    let upgrade = passed.get(UPGRADE).cloned();
    for name in [
        "authorization",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
    ] {
        passed.remove(name);
    }
    let names: Vec<_> = passed
        .keys()
        .filter(|name| name.as_str().starts_with("impersonate-"))
        .cloned()
        .collect();
    for name in names {
        passed.remove(name);
    }
    passed.remove(CONNECTION);
    if upgrade.is_some() {
        passed.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    }
    if let Ok(host) = HeaderValue::from_str(&address.to_string()) {
        passed.insert(HOST, host);
    }
    passed
}
