//! A TLS server: HTTP/1.1 and HTTP/2, bounded in connections and time, that ends gracefully.

use crate::certs::Identity;
use anyhow::Context;
use connection::Connection;
use http::{Request, Response};
use hyper::body::Incoming;
use places::{Guest, Places, Room};
use rustls::pki_types::CertificateDer;
use rustls::server::WantsServerCert;
use rustls::{ConfigBuilder, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

mod connection;
mod files;
mod listen;
mod places;
mod rotating;
mod sent;
mod settings;
mod verifier;

pub use files::{CertificateFiles, follow};
pub use listen::listen;
pub use rotating::Rotating;
pub use settings::TlsSettings;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Who is at the other end; a request extension.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The certificates it showed, leaf first. It has proved to have the leaf's key; whether an
    /// authority vouches for the leaf is for [`crate::auth`] to say.
    pub certificates: Arc<[CertificateDer<'static>]>,
}

/// What one server takes on at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time that came through their handshake. Beyond, the one that is idle longest makes room.
    pub connections: usize,
    /// Handshakes at a time. Beyond, the oldest is given up.
    pub handshakes: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// For a request's head to arrive; an idle connection is closed after it, too.
    pub header_read: Duration,
    /// A connection that nothing is asked of is closed after this. Upstream: IdleTimeout (secure_serving.go).
    pub idle: Duration,
    /// Requests at a time in one HTTP/2 connection.
    pub streams: u32,
    /// For requests to end after the shutdown began.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshakes: 256,
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(60),
            idle: Duration::from_secs(90),
            streams: 250,
            drain: Duration::from_secs(5),
        }
    }
}

/// TLS settings that serve `identity` and ask the client for a certificate, without demanding one.
pub fn tls(identity: Identity) -> anyhow::Result<Arc<ServerConfig>> {
    tls_with(&TlsSettings::default(), identity)
}

fn tls_with(settings: &TlsSettings, identity: Identity) -> anyhow::Result<Arc<ServerConfig>> {
    let config = asking(settings)?
        .with_single_cert(identity.chain, identity.key)
        .context("the serving certificate does not fit its key")?;
    Ok(offering(settings, config))
}

/// The same with a certificate whose files may change; keep [`Rotating::keep`] running beside.
fn rotating_tls(
    settings: &TlsSettings,
    certificate: Arc<Rotating>,
) -> anyhow::Result<Arc<ServerConfig>> {
    let config = asking(settings)?.with_cert_resolver(certificate);
    Ok(offering(settings, config))
}

fn asking(settings: &TlsSettings) -> anyhow::Result<ConfigBuilder<ServerConfig, WantsServerCert>> {
    let provider = settings.provider();
    Ok(ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(settings.versions())
        .context("TLS versions")?
        .with_client_cert_verifier(Arc::new(verifier::AnyCertificate::new(provider))))
}

fn offering(settings: &TlsSettings, mut config: ServerConfig) -> Arc<ServerConfig> {
    config.alpn_protocols = match settings.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Arc::new(config)
}

/// Serves `handler` on `listener` until `shutdown`, then lets what runs end.
///
/// Every request carries [`Peer`] as an extension. Connections may be upgraded.
pub async fn serve<F, Fut, B>(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    limits: Limits,
    handler: F,
    shutdown: CancellationToken,
) where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let places = Arc::new(Places::new(Room {
        handshakes: limits.handshakes,
        connections: limits.connections,
    }));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            () = shutdown.cancelled() => break,
        };
        let Some((stream, address, guest)) = accepted else {
            continue;
        };
        let connection = Connection {
            acceptor: TlsAcceptor::from(Arc::clone(&tls)),
            limits,
            guest: Arc::new(guest),
            shutdown: shutdown.clone(),
        };
        let handler = handler.clone();
        connections.spawn(async move {
            if let Err(error) = connection.run(stream, address, handler).await {
                tracing::debug!(%address, error = %format!("{error:#}"), "connection ended");
            }
        });
    }
    drop(listener);
    let drained = timeout(limits.drain, async {
        while connections.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::debug!(
            left = connections.len(),
            "connections did not end in time, closing them"
        );
    }
}

/// The next connection and its place. `None` after a passing failure, and where all places are taken by others at work.
async fn next(
    listener: &TcpListener,
    places: &Arc<Places>,
) -> Option<(TcpStream, SocketAddr, Guest)> {
    match listener.accept().await {
        Ok((stream, mut address)) => {
            // One family's addresses look like the other's on a socket for both.
            address.set_ip(address.ip().to_canonical());
            let Some(guest) = places.enter(Instant::now()) else {
                tracing::debug!(%address, "no place for a connection, closing it");
                return None;
            };
            Some((stream, address, guest))
        }
        Err(error) => {
            // Typically "too many open files": waiting lets others close theirs.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

#[cfg(test)]
mod tests;
