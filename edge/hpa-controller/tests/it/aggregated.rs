//! A lab server with metrics APIs beside it, as the aggregation layer would put them there.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use lab_server::{AsUser, BoxError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tower::Service;

/// What the metrics API lists; while it is not set, there is no such API.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodMetrics(Arc<Mutex<Served>>);

#[derive(Debug, Default)]
struct Served {
    items: Option<Vec<Value>>,
    /// Whoever watches; nobody can, while there is no such list.
    watches: Option<Vec<mpsc::UnboundedSender<Bytes>>>,
}

impl PodMetrics {
    pub(crate) fn set(&self, items: Vec<Value>) {
        let mut served = self.0.lock().unwrap();
        let lines: String = items.iter().map(|item| event("MODIFIED", item)).collect();
        if let Some(watches) = &mut served.watches {
            watches.retain(|watch| watch.send(lines.clone().into()).is_ok());
        }
        served.items = Some(items);
    }

    /// Lets the metrics be watched, as Evenkeel's metrics-server does.
    pub(crate) fn let_watch(&self) {
        self.0.lock().unwrap().watches = Some(Vec::new());
    }

    /// How many watch now.
    pub(crate) fn watched(&self) -> usize {
        let served = self.0.lock().unwrap();
        let watches = served.watches.iter().flatten();
        watches.filter(|watch| !watch.is_closed()).count()
    }

    /// Ends all watches.
    pub(crate) fn end_watches(&self) {
        if let Some(watches) = &mut self.0.lock().unwrap().watches {
            watches.clear();
        }
    }

    fn list(&self) -> Option<Value> {
        let items = self.0.lock().unwrap().items.clone()?;
        Some(
            json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}),
        )
    }

    /// The events of a watch, the first ones being what there is.
    fn watch(&self) -> Option<mpsc::UnboundedReceiver<Bytes>> {
        let mut served = self.0.lock().unwrap();
        let items = served.items.clone()?;
        let (send, receive) = mpsc::unbounded_channel();
        let mut lines: String = items.iter().map(|item| event("ADDED", item)).collect();
        let end = json!({"k8s.io/initial-events-end": "true"});
        lines += &event("BOOKMARK", &json!({"metadata": {"annotations": end}}));
        send.send(lines.into()).unwrap();
        served.watches.as_mut()?.push(send);
        Some(receive)
    }
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// What an adapter answers at a path: a code, a type, a body.
type Answer = (StatusCode, &'static str, String);

/// An adapter of custom and external metrics: what it answers, and what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adapter {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Adapter {
    /// Answers with an object.
    pub(crate) fn put(&self, path: &str, object: &Value) {
        let answer = (StatusCode::OK, "application/json", object.to_string());
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Answers with an error: a Status object, or some program's text.
    pub(crate) fn fail(&self, path: &str, code: u16, body: &str) {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "text/plain; charset=utf-8"
        };
        let code = StatusCode::from_u16(code).unwrap();
        let answer = (code, kind, body.to_owned());
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// The paths and queries that were asked for and answered, each once.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        asked
    }

    fn answer<B>(&self, request: &Request<B>) -> Option<Answer> {
        let answer = self
            .answers
            .lock()
            .unwrap()
            .get(request.uri().path())?
            .clone();
        self.asked.lock().unwrap().push(request.uri().to_string());
        Some(answer)
    }
}

/// What was forbidden, as the server said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused(Arc<Mutex<Vec<String>>>);

impl Refused {
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Remembers the message of a 403.
    fn note(&self, body: &[u8]) {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = status["message"].as_str().unwrap_or_default();
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// Answers for metrics APIs itself, to those who have the right; everything else is the server's.
#[derive(Clone)]
pub(crate) struct Aggregated {
    pub(crate) server: AsUser,
    pub(crate) metrics: PodMetrics,
    pub(crate) adapter: Adapter,
    pub(crate) refused: Refused,
    /// Where the API is out of reach.
    pub(crate) cut: Arc<AtomicBool>,
}

impl Aggregated {
    /// What stands in for a metrics API, if it would answer this.
    fn own<B>(&self, request: &Request<B>) -> Option<Answer> {
        if is_watch(request) {
            // Upstream's metrics-server.
            let text = "the server does not allow this method on the requested resource";
            return Some((
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                text.to_owned(),
            ));
        }
        if request.uri().path().starts_with("/apis/metrics.k8s.io/")
            && let Some(list) = self.metrics.list()
        {
            return Some((StatusCode::OK, "application/json", list.to_string()));
        }
        self.adapter.answer(request)
    }
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
        if self.cut.load(Ordering::SeqCst) {
            let response = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
            let response = response.body(full(String::new())).unwrap();
            return Box::pin(async move { Ok(response) });
        }
        let (own, refused) = (self.own(&request), self.refused.clone());
        let events = is_watch(&request).then(|| self.metrics.watch()).flatten();
        // The server knows nothing of these APIs, but says first who may not ask.
        let answer = self.server.call(request);
        Box::pin(async move {
            let (head, body) = answer.await?.into_parts();
            let mut body: Body = body.map_err(Into::into).boxed_unsync();
            if head.status == StatusCode::FORBIDDEN {
                let bytes = body.collect().await.unwrap().to_bytes();
                refused.note(&bytes);
                body = full(String::from_utf8(bytes.to_vec()).unwrap());
            } else if let Some(events) = events {
                return Ok(Response::new(frames(events)));
            } else if let Some((code, kind, text)) = own {
                let response = Response::builder()
                    .status(code)
                    .header(header::CONTENT_TYPE, kind);
                return Ok(response.body(full(text)).unwrap());
            }
            Ok(Response::from_parts(head, body))
        })
    }
}

fn is_watch<B>(request: &Request<B>) -> bool {
    let uri = request.uri();
    uri.path() == "/apis/metrics.k8s.io/v1beta1/pods"
        && uri
            .query()
            .is_some_and(|query| query.contains("watch=true"))
}

fn frames(events: mpsc::UnboundedReceiver<Bytes>) -> Body {
    let frames = futures::stream::unfold(events, |mut events| async move {
        let bytes = events.recv().await?;
        Some((Ok::<_, BoxError>(Frame::data(bytes)), events))
    });
    StreamBody::new(frames).boxed_unsync()
}

fn full(text: String) -> Body {
    Full::from(text)
        .map_err(|never| match never {})
        .boxed_unsync()
}
