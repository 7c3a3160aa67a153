//! Probes and metrics, for who may see them.
//!
//! Upstream: cmd/kube-controller-manager/app (v1.36), whose only probe is /healthz; /livez and /readyz are as API
//! servers have them.

use crate::monitor::Monitor;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use k8s::status::ApiError;
use runtime::auth::{Attributes, Delegated};
use runtime::exposition::CLASSIC_TYPE;
use runtime::health::Checks;
use runtime::lease::Standing;
use runtime::serve::Peer;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use units::Timestamp;

type Reply = Response<Full<Bytes>>;

/// Answers requests.
pub(crate) struct Admin {
    monitor: Arc<Monitor>,
    standing: Option<Arc<Standing>>,
    livez: Checks,
    readyz: Checks,
    healthz: Checks,
}

impl Admin {
    pub(crate) fn new(
        monitor: &Arc<Monitor>,
        standing: Option<&Arc<Standing>>,
        shutdown: CancellationToken,
    ) -> Self {
        let alive = |name| {
            let (monitor, standing) = (Arc::clone(monitor), standing.cloned());
            let elects = move || standing.as_ref().map_or(Ok(()), |s| s.check());
            Checks::new(name)
                .always(&["ping"])
                .with("leaderElection", elects)
                .with("horizontal-pod-autoscaler-controller", move || {
                    monitor.check()
                })
        };
        let running = move || {
            let why = || "process is shutting down".to_owned();
            (!shutdown.is_cancelled()).then_some(()).ok_or_else(why)
        };
        Self {
            monitor: Arc::clone(monitor),
            standing: standing.cloned(),
            livez: alive("livez"),
            // One that stands by is ready to take over.
            readyz: alive("readyz").with("shutdown", running),
            healthz: alive("healthz"),
        }
    }

    /// Authenticates, authorizes, and answers.
    pub(crate) async fn answer(
        &self,
        head: &Parts,
        delegated: &Delegated,
        now: jiff::Timestamp,
    ) -> Reply {
        match allow(head, delegated, now).await {
            Ok(()) => self.route(head, Timestamp::from_nanos(now.as_nanosecond())),
            Err(error) => refusal(&error),
        }
    }

    fn route(&self, head: &Parts, now: Timestamp) -> Reply {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return refusal(&ApiError::method_not_allowed());
        }
        let path = head.uri.path();
        if path == "/metrics" {
            let standing = self.standing.as_ref();
            let text = self
                .monitor
                .text(now, standing.map(|s| (s.lease(), s.leads())));
            return reply(StatusCode::OK, CLASSIC_TYPE, text);
        }
        self.health(path, head.uri.query().unwrap_or_default())
            .unwrap_or_else(|| {
                reply(
                    StatusCode::NOT_FOUND,
                    "text/plain; charset=utf-8",
                    "404 page not found\n",
                )
            })
    }

    fn health(&self, path: &str, query: &str) -> Option<Reply> {
        let path = path.strip_prefix('/')?;
        let (name, check) = path
            .split_once('/')
            .map_or((path, None), |(name, check)| (name, Some(check)));
        let checks = match name {
            "livez" => &self.livez,
            "readyz" => &self.readyz,
            "healthz" => &self.healthz,
            _ => return None,
        };
        let answer = checks.answer(check.filter(|check| !check.is_empty()), query);
        let code = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Some(reply(code, "text/plain; charset=utf-8", answer.body))
    }
}

async fn allow(head: &Parts, delegated: &Delegated, now: jiff::Timestamp) -> Result<(), ApiError> {
    let peer = head.extensions.get::<Peer>();
    let user = delegated.authenticate(&head.headers, peer, now).await?;
    let verb = head.method.as_str().to_ascii_lowercase();
    let attributes = Attributes {
        verb: &verb,
        path: head.uri.path(),
        ..Attributes::default()
    };
    delegated.authorize(&user, &attributes).await
}

fn refusal(error: &ApiError) -> Reply {
    let code = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply(code, "application/json", error.to_status().to_string())
}

fn reply(code: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = code;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

#[cfg(test)]
mod tests;
