//! A client whose requests are told to somebody, who may count them. Nothing is counted here.

use anyhow::Context as _;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
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
        let builder =
            ClientBuilder::try_from(config).context("cannot set up the Kubernetes client")?;
        let telling = layer_fn(|inner| Observed {
            inner,
            observer: self.clone(),
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
        let observer = self.observer.clone();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let began = Instant::now();
        let asked = self.inner.call(request);
        asked
            .map(move |answer| {
                observer.0(&Exchange {
                    method: method.as_str(),
                    host: uri.authority().map_or("", |host| host.as_str()),
                    path: uri.path(),
                    code: answer.as_ref().ok().map(|answer| answer.status().as_u16()),
                    took: began.elapsed(),
                });
                answer
            })
            .boxed()
    }
}
