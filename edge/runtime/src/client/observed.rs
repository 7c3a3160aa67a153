//! A client whose requests are told to somebody, who may count them. Nothing is counted here.

use anyhow::Context as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, Uri};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tower::Service;
use tower::layer::layer_fn;

/// A request to the Kubernetes API, and how long its answer's head took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// Whom it was sent to, with the port.
    pub host: &'a str,
    /// Without the query.
    pub path: &'a str,
    /// The answer's; none where there was no answer.
    pub code: Option<u16>,
    /// From the request to the answer.
    pub took: Duration,
}

/// Who is told of requests.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Exchange<'_>) + Send + Sync>);

impl Observer {
    /// Calls `tell` for each request.
    pub fn new(tell: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// A client that tells.
    pub fn client(&self, config: Config) -> anyhow::Result<Client> {
        // Requests get their host further inside.
        let host = config.cluster_url.authority();
        let host: Arc<str> = host.map_or("", |host| host.as_str()).into();
        let builder =
            ClientBuilder::try_from(config).context("cannot set up the Kubernetes client")?;
        let telling = layer_fn(|inner| Observed {
            inner,
            observer: self.clone(),
            host: Arc::clone(&host),
        });
        Ok(builder.with_layer(&telling).build())
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

struct Observed<S> {
    inner: S,
    observer: Observer,
    host: Arc<str>,
}

/// Tells of its request at its end, which for one that is given up is no answer.
struct Pending {
    observer: Observer,
    host: Arc<str>,
    method: Method,
    uri: Uri,
    began: Instant,
    code: Option<u16>,
}

impl Pending {
    fn end(mut self, code: Option<StatusCode>) {
        self.code = code.map(|code| code.as_u16());
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.observer.0(&Exchange {
            method: self.method.as_str(),
            host: &self.host,
            path: self.uri.path(),
            code: self.code,
            took: self.began.elapsed(),
        });
    }
}

impl<S, B> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let pending = Pending {
            observer: self.observer.clone(),
            host: Arc::clone(&self.host),
            method: request.method().clone(),
            uri: request.uri().clone(),
            began: Instant::now(),
            code: None,
        };
        let asked = self.inner.call(request);
        async move {
            let answer = asked.await;
            pending.end(answer.as_ref().ok().map(Response::status));
            answer
        }
        .boxed()
    }
}
