//! The server as a value: a cheap handle that answers requests, over a wire or in memory.

use crate::access::Access;
use crate::aggregate::Aggregator;
use crate::backend::Backend;
use crate::body::{Body, BoxError, boxed};
use crate::metrics::Counters;
use crate::registry::{Dynamic, Registry};
use crate::service;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use k8s::features::Gates;
use lab_auth::User;
use lab_auth::pki::Authority;
use runtime::network::LabNetwork;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

/// Requests that are worked on at a time; more are told to come again. Upstream: --max-requests-inflight
/// and --max-mutating-requests-inflight (400 and 200).
const IN_FLIGHT: usize = 600;

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) backend: Backend,
    pub(crate) registry: Dynamic,
    pub(crate) aggregator: Aggregator,
    pub(crate) counters: Counters,
    pub(crate) access: Access,
    pub(crate) authority: Arc<Authority>,
    pub(crate) network: LabNetwork,
    /// Which features are on.
    pub(crate) gates: Gates,
    /// Where the server listens; what its certificate and the `kubernetes` Service say.
    pub(crate) address: SocketAddr,
    /// How the server shows itself to kubelets.
    pub(crate) kubelet_tls: Arc<rustls::ClientConfig>,
    /// Held while addresses and ports are chosen and stored.
    pub(crate) allocating: Mutex<()>,
    pub(crate) in_flight: Semaphore,
    pub(crate) shutdown: CancellationToken,
}

impl Inner {
    /// The resources served now.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.registry.current(&self.backend)
    }
}

/// What a server is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) backend: Backend,
    pub(crate) authority: Arc<Authority>,
    pub(crate) network: LabNetwork,
    pub(crate) gates: Gates,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
}

/// The lab's API server. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

impl Server {
    pub(crate) fn new(parts: Parts) -> anyhow::Result<Self> {
        let access = Access::new(&parts.authority)?;
        let aggregator = Aggregator::new(&parts.authority, runtime::clock::now())?;
        let kubelet_tls = Arc::new(kubelet_tls(&parts.authority)?);
        Ok(Self {
            inner: Arc::new(Inner {
                backend: parts.backend,
                registry: Dynamic::default(),
                aggregator,
                counters: Counters::default(),
                access,
                authority: parts.authority,
                network: parts.network,
                gates: parts.gates,
                address: parts.address,
                kubelet_tls,
                allocating: Mutex::new(()),
                in_flight: Semaphore::new(IN_FLIGHT),
                shutdown: parts.shutdown,
            }),
        })
    }

    /// The same server for one in-process client, whose requests all come from `user`.
    ///
    /// What the user may do is still authorized, request by request.
    pub fn as_user(&self, user: User) -> AsUser {
        AsUser {
            server: self.clone(),
            user: user.authenticated(),
        }
    }

    /// The number of the last change.
    pub fn revision(&self) -> u64 {
        self.inner.backend.read().store.revision()
    }
}

impl<B> tower::Service<Request<B>> for Server
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = self.inner.clone();
        let request = request.map(boxed);
        Box::pin(async move { Ok(service::handle(inner, request).await) })
    }
}

/// A [`Server`] whose requests come from one user.
#[derive(Debug, Clone)]
pub struct AsUser {
    server: Server,
    user: User,
}

impl<B> tower::Service<Request<B>> for AsUser
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request
            .extensions_mut()
            .insert(service::Known(self.user.clone()));
        self.server.call(request)
    }
}

/// Upstream: kubeadm's apiserver-kubelet-client certificate.
fn kubelet_tls(authority: &Authority) -> anyhow::Result<rustls::ClientConfig> {
    let now = runtime::clock::now();
    let (name, groups) = ("kube-apiserver-kubelet-client", ["system:masters"]);
    let certificate = authority.client_certificate(now, name, &groups)?;
    Ok(certificate.client_config(authority.ca_pem())?)
}
