//! HTTP probes and hooks. Upstream: pkg/probe/http.

use super::{Outcome, dial_error};
use ::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::HTTPGetAction;
use runtime::certs::AnyServer;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Gets the action's URL at `address`, unless the action names another host.
pub async fn get(
    action: &HTTPGetAction,
    address: SocketAddr,
    limit: Duration,
    purpose: &str,
) -> Outcome {
    let url = url(action, address);
    match tokio::time::timeout(limit, send(action, address, &url, purpose)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Failure(format!(
            "Get {url:?}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        )),
    }
}

fn url(action: &HTTPGetAction, address: SocketAddr) -> String {
    let scheme = if is_tls(action) { "https" } else { "http" };
    let host = action.host.clone().filter(|h| !h.is_empty());
    let host = host.unwrap_or_else(|| address.ip().to_string());
    format!("{scheme}://{host}:{}{}", address.port(), path(action))
}

fn is_tls(action: &HTTPGetAction) -> bool {
    action.scheme.as_deref() == Some("HTTPS")
}

fn path(action: &HTTPGetAction) -> String {
    let path = action.path.as_deref().unwrap_or("/");
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

async fn send(action: &HTTPGetAction, address: SocketAddr, url: &str, purpose: &str) -> Outcome {
    let host = action
        .host
        .as_deref()
        .and_then(|h| h.parse().ok())
        .unwrap_or(address.ip());
    let address = SocketAddr::new(host, address.port());
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => {
            return Outcome::Refused(format!("Get {url:?}: {}", dial_error(address, &error)));
        }
    };
    let request = match request(action, address, purpose) {
        Ok(request) => request,
        Err(error) => return Outcome::Error(error.to_string()),
    };
    let answer = if is_tls(action) {
        match connect_tls(stream, address).await {
            Ok(stream) => exchange(stream, request).await,
            Err(error) => Err(error),
        }
    } else {
        exchange(stream, request).await
    };
    match answer {
        Ok(status) if (200..400).contains(&status) => Outcome::Success,
        Ok(status) => Outcome::Failure(format!("HTTP probe failed with statuscode: {status}")),
        Err(error) => Outcome::Failure(format!("Get {url:?}: {error:#}")),
    }
}

fn request(
    action: &HTTPGetAction,
    address: SocketAddr,
    purpose: &str,
) -> Result<Request<Empty<Bytes>>, ::http::Error> {
    let mut builder = Request::get(path(action))
        .header(header::USER_AGENT, format!("kube-{purpose}/1.36"))
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close");
    let headers = action.http_headers.iter().flatten();
    let own_host = headers.clone().any(|h| h.name.eq_ignore_ascii_case("host"));
    if !own_host {
        builder = builder.header(header::HOST, address.to_string());
    }
    for header in headers {
        builder = builder.header(&header.name, &header.value);
    }
    builder.body(Empty::new())
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> anyhow::Result<u16>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    let status = match response {
        Ok(response) => {
            let status = response.status().as_u16();
            // Up to ten kilobytes are read, so that the server need not notice a broken pipe.
            drop(
                http_body_util::Limited::new(response.into_body(), 10 * 1024)
                    .collect()
                    .await,
            );
            Ok(status)
        }
        Err(error) => Err(error.into()),
    };
    connection.abort();
    status
}

async fn connect_tls(
    stream: TcpStream,
    address: SocketAddr,
) -> anyhow::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        // Probes do not check certificates, as the kubelet does not.
        .with_custom_certificate_verifier(Arc::new(AnyServer::new(provider)))
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    Ok(connector
        .connect(ServerName::IpAddress(address.ip().into()), stream)
        .await?)
}
