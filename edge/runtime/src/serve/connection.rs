//! One connection, from its handshake to its end.

use super::places::Guest;
use super::sent::Sent;
use super::{BoxError, Limits, Peer};
use anyhow::{Context, bail};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

pub(super) struct Connection {
    pub(super) acceptor: TlsAcceptor,
    pub(super) limits: Limits,
    pub(super) guest: Arc<Guest>,
    pub(super) shutdown: CancellationToken,
}

impl Connection {
    pub(super) async fn run<F, Fut, B>(
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
        let stream = self.handshake(tcp).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let peer = Peer {
            address,
            certificates: certificates.iter().cloned().collect(),
        };
        let guest = Arc::clone(&self.guest);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let (busy, head_only) = (guest.begin(), request.method() == Method::HEAD);
            let response = handler(request);
            async move { Ok::<_, Infallible>(Sent::new(response.await, head_only, busy)) }
        });
        let builder = self.builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(anyhow::Error::from_boxed),
            () = self.guest.leave.cancelled() => bail!("it made room for others"),
            () = self.idle() => {
                // It need not answer to be closed.
                connection.as_mut().graceful_shutdown();
                let ended = timeout(self.limits.drain, connection).await;
                return ended.unwrap_or(Ok(())).map_err(anyhow::Error::from_boxed);
            }
            () = self.shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await.map_err(anyhow::Error::from_boxed)
    }

    async fn handshake(&self, tcp: TcpStream) -> anyhow::Result<TlsStream<TcpStream>> {
        tcp.set_nodelay(true).ok();
        let accepted = timeout(self.limits.handshake, self.acceptor.accept(tcp));
        let stream = tokio::select! {
            accepted = accepted => accepted
                .context("the TLS handshake took too long")?
                .context("the TLS handshake failed")?,
            () = self.guest.leave.cancelled() => bail!("its handshake made room for others"),
        };
        self.guest.established(Instant::now());
        Ok(stream)
    }

    /// Ends when nothing was asked for too long.
    async fn idle(&self) {
        let limit = self.limits.idle.max(Duration::from_millis(1));
        loop {
            let now = Instant::now();
            let until = self.guest.idle_since().unwrap_or(now) + limit;
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
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
