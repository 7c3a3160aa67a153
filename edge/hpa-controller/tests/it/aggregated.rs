//! A lab server with a metrics API beside it, as the aggregation layer would put it there.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use lab_server::{AsUser, BoxError};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tower::Service;

/// What the metrics API lists; while it is not set, there is no such API.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodMetrics(Arc<Mutex<Option<Vec<Value>>>>);

impl PodMetrics {
    pub(crate) fn set(&self, items: Vec<Value>) {
        *self.0.lock().unwrap() = Some(items);
    }

    fn list(&self) -> Option<Value> {
        let items = self.0.lock().unwrap().clone()?;
        Some(
            json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}),
        )
    }
}

/// Answers for metrics.k8s.io itself; everything else is the server's.
#[derive(Clone)]
pub(crate) struct Aggregated {
    pub(crate) server: AsUser,
    pub(crate) metrics: PodMetrics,
}

type Body = UnsyncBoxBody<Bytes, BoxError>;

impl Service<Request<kube::client::Body>> for Aggregated {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        if request.uri().path().starts_with("/apis/metrics.k8s.io/")
            && let Some(list) = self.metrics.list()
        {
            let body = Full::from(list.to_string())
                .map_err(|never| match never {})
                .boxed_unsync();
            return Box::pin(async move { Ok(Response::new(body)) });
        }
        let answer = self.server.call(request);
        Box::pin(async move {
            answer
                .await
                .map(|r| r.map(|b| b.map_err(Into::into).boxed_unsync()))
        })
    }
}
