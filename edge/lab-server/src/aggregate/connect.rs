//! Connections to backends: TCP, then TLS with the front proxy's certificate, kept for the next request.

use super::remote::Trust;
use crate::body::Body;
use anyhow::Context;
use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use lab_auth::pki::Certificate;
use runtime::certs::{AnyServer, parse_chain, provider, roots};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For a connection to stand, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// A backend that does not answer pings so long has lost its connection.
const PING: Duration = Duration::from_secs(15);

pub(super) type Client = legacy::Client<Connector, Body>;

/// How this server shows itself to backends.
#[derive(Debug)]
pub(super) struct Tls {
    identity: Certificate,
}

impl Tls {
    pub(super) fn new(identity: Certificate) -> Self {
        Self { identity }
    }

    /// Settings for backends that are trusted so.
    pub(super) fn config(&self, trust: &Trust) -> anyhow::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .context("TLS versions")?;
        let builder = match trust {
            Trust::Anything => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyServer::new(provider()))),
            Trust::Bundle(pem) if pem.is_empty() => {
                builder.with_root_certificates(RootCertStore::empty())
            }
            Trust::Bundle(pem) => builder.with_root_certificates(roots(&parse_chain(pem)?)?),
        };
        let mut config = builder
            .with_client_auth_cert(self.identity.chain.clone(), self.identity.key())
            .context("the front proxy's certificate")?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A client that keeps connections made by `connector`.
pub(super) fn client(connector: Connector) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING)
        .build(connector)
}

/// Makes connections to addresses whose certificates have one name.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    pub(super) fn new(config: ClientConfig, name: &str) -> anyhow::Result<Self> {
        let name = ServerName::try_from(name.to_owned())
            .with_context(|| format!("{name:?} is no server name"))?;
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Unreachable> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let address: SocketAddr = authority
            .parse()
            .map_err(|_| Unreachable(format!("{authority:?} is no address")))?;
        let dialled = timeout(CONNECT, TcpStream::connect(address)).await;
        let stream = dialled
            .map_err(|_| Unreachable(format!("dial tcp {address}: i/o timeout")))?
            .map_err(|error| Unreachable(format!("dial tcp {address}: {}", dial_words(&error))))?;
        stream.set_nodelay(true).ok();
        let handshake = timeout(CONNECT, self.tls.connect(self.name, stream)).await;
        let stream = handshake
            .map_err(|_| Unreachable("net/http: TLS handshake timeout".to_owned()))?
            .map_err(|error| Unreachable(tls_words(&error)))?;
        Ok(Stream(TokioIo::new(stream)))
    }
}

/// Why no connection stands, in Go's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreachable(String);

fn dial_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
        _ => format!("connect: {error}"),
    }
}

fn tls_words(error: &io::Error) -> String {
    use rustls::{CertificateError, Error};
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    let x509 = match inner {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "certificate signed by unknown authority".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "certificate has expired or is not yet valid".to_owned(),
        Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            expected,
            presented,
        })) => format!(
            "certificate is valid for {}, not {}",
            presented.join(", "),
            expected.to_str()
        ),
        Some(Error::InvalidCertificate(other)) => other.to_string(),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => return "EOF".to_owned(),
        _ => return format!("tls: {error}"),
    };
    format!("tls: failed to verify certificate: x509: {x509}")
}

/// The words of the innermost error.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => "EOF".to_owned(),
        _ => innermost.to_string(),
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = Unreachable;
    type Future = BoxFuture<'static, Result<Stream, Unreachable>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Unreachable>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection that tells the client which protocol was agreed on.
#[derive(Debug)]
pub(super) struct Stream(TokioIo<TlsStream<TcpStream>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        match self.0.inner().get_ref().1.alpn_protocol() {
            Some(b"h2") => connected.negotiated_h2(),
            _ => connected,
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
