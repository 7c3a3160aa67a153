//! A TLS server: HTTP/1.1 and HTTP/2, bounded in connections and time, that ends gracefully.

use crate::certs::{Identity, provider};
use anyhow::Context;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::pki_types::CertificateDer;
use rustls::server::WantsServerCert;
use rustls::{ConfigBuilder, ServerConfig};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

mod files;
mod rotating;
mod verifier;

pub use files::{CertificateFiles, follow};
pub use rotating::Rotating;

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
    /// Connections open at a time; more wait to be accepted.
    pub connections: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// For a request's head to arrive; an idle connection is closed after it, too.
    pub header_read: Duration,
    /// Requests at a time in one HTTP/2 connection.
    pub streams: u32,
    /// For requests to end after the shutdown began.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(60),
            streams: 250,
            drain: Duration::from_secs(5),
        }
    }
}

/// TLS settings that serve `identity` and ask the client for a certificate, without demanding one.
pub fn tls(identity: Identity) -> anyhow::Result<Arc<ServerConfig>> {
    let config = asking()?
        .with_single_cert(identity.chain, identity.key)
        .context("the serving certificate does not fit its key")?;
    Ok(both_protocols(config))
}

/// The same with a certificate whose files may change; keep [`Rotating::keep`] running beside.
pub fn rotating_tls(certificate: Arc<Rotating>) -> anyhow::Result<Arc<ServerConfig>> {
    Ok(both_protocols(asking()?.with_cert_resolver(certificate)))
}

fn asking() -> anyhow::Result<ConfigBuilder<ServerConfig, WantsServerCert>> {
    let provider = provider();
    Ok(ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .context("TLS versions")?
        .with_client_cert_verifier(Arc::new(verifier::AnyCertificate::new(provider))))
}

fn both_protocols(mut config: ServerConfig) -> Arc<ServerConfig> {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
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
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &slots) => accepted,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            () = shutdown.cancelled() => break,
        };
        let Some((stream, address, slot)) = accepted else {
            continue;
        };
        let connection = Connection {
            acceptor: TlsAcceptor::from(Arc::clone(&tls)),
            limits,
            shutdown: shutdown.clone(),
        };
        let handler = handler.clone();
        connections.spawn(async move {
            if let Err(error) = connection.run(stream, address, handler).await {
                tracing::debug!(%address, error = %format!("{error:#}"), "connection ended");
            }
            drop(slot);
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

/// The next connection, once there is a slot for it. `None` after a passing failure.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, slot)),
        Err(error) => {
            // Typically "too many open files": waiting lets others close theirs.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

struct Connection {
    acceptor: TlsAcceptor,
    limits: Limits,
    shutdown: CancellationToken,
}

impl Connection {
    async fn run<F, Fut, B>(
        self,
        tcp: TcpStream,
        address: SocketAddr,
        handler: F,
    ) -> anyhow::Result<()>
    where
        F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        tcp.set_nodelay(true).ok();
        let stream = timeout(self.limits.handshake, self.acceptor.accept(tcp))
            .await
            .context("the TLS handshake took too long")?
            .context("the TLS handshake failed")?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let peer = Peer {
            address,
            certificates: certificates.iter().cloned().collect(),
        };
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let response = handler(request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let builder = self.builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(anyhow::Error::from_boxed),
            () = self.shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await.map_err(anyhow::Error::from_boxed)
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(64 * 1024)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(30));
        builder
    }
}
