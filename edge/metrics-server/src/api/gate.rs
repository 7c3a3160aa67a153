//! What surrounds every request: how long it may take, how many there may be, and the headers that all answers have.
//!
//! Upstream: apiserver/pkg/server/config.go, DefaultBuildHandlerChain (v1.36). Who may ask is not decided here.

use super::{Reply, query, status, text};
use crate::args::GenericArgs;
use anyhow::Context;
use http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{Method, StatusCode};
use k8s::status::ApiError;
use runtime::auth::User;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use units::duration::{DurationError, unknown_unit};

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
const TOO_LONG: &str = "Timeout: request did not complete within the allotted timeout";

/// The limits of all requests together and of each; none for what has no limit.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    slots: Option<Semaphore>,
    limit: Option<Duration>,
    transport_security: Option<HeaderValue>,
}

impl Gate {
    pub(crate) fn new(args: &GenericArgs) -> anyhow::Result<Self> {
        let slots = usize::try_from(args.max_requests_inflight).unwrap_or_default();
        let limit = args.request_timeout.to_std();
        let directives = args.strict_transport_security_directives.join("; ");
        let header = (!directives.is_empty())
            .then(|| HeaderValue::from_str(&directives))
            .transpose()
            .context("--strict-transport-security-directives")?;
        Ok(Self {
            slots: (slots > 0).then(|| Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            limit: (!limit.is_zero()).then_some(limit),
            transport_security: header,
        })
    }

    /// Answers with `work`, unless that takes too long; a watch may take as long as it wants.
    pub(super) async fn within(
        &self,
        head: &Parts,
        verb: &str,
        work: impl Future<Output = Reply>,
    ) -> Reply {
        if verb == "watch" {
            return work.await;
        }
        let wished = match wished(head) {
            Ok(wished) => wished,
            Err(error) => return status::reply(head, &error),
        };
        let limit = match (wished, self.limit) {
            (Some(wished), Some(limit)) => Some(wished.min(limit)),
            (wished, limit) => wished.or(limit),
        };
        let Some(limit) = limit else {
            return work.await;
        };
        timeout(limit, work)
            .await
            .unwrap_or_else(|_| status::reply(head, &ApiError::timeout(TOO_LONG)))
    }

    /// A place among the requests that are under way; nothing where there is no limit. Upstream: WithMaxInFlightLimit,
    /// which always answers system:masters.
    pub(super) fn enter(
        &self,
        head: &Parts,
        verb: &str,
        user: &User,
    ) -> Result<Option<SemaphorePermit<'_>>, Box<Reply>> {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let Some(slots) = self.slots.as_ref().filter(|_| reads && verb != "watch") else {
            return Ok(None);
        };
        match slots.try_acquire() {
            Ok(slot) => Ok(Some(slot)),
            Err(_) if user.groups.iter().any(|group| group == "system:masters") => Ok(None),
            Err(_) => Err(Box::new(too_many())),
        }
    }

    /// Adds what all answers have.
    pub(super) fn dressed(&self, head: &Parts, mut reply: Reply) -> Reply {
        let refused = reply.status() == StatusCode::FORBIDDEN;
        let headers = reply.headers_mut();
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache, private"));
        if let Some(id) = audit_id(head) {
            headers.insert(AUDIT_ID, id);
        }
        if refused {
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        if let Some(value) = &self.transport_security {
            headers.insert(STRICT_TRANSPORT_SECURITY, value.clone());
        }
        reply
    }
}

/// The client's, so that it is found in the logs of all servers on the way; else a new one.
fn audit_id(head: &Parts) -> Option<HeaderValue> {
    let given = head.headers.get(AUDIT_ID).filter(|id| !id.is_empty());
    given
        .cloned()
        .or_else(|| HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).ok())
}

/// The time that the client wants to wait. Upstream: parseTimeout (request_deadline.go).
fn wished(head: &Parts) -> Result<Option<Duration>, ApiError> {
    let value = query::value(head.uri.query().unwrap_or_default(), "timeout");
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let wished: units::Duration = value.parse().map_err(|error| {
        let why = match error {
            DurationError::MissingUnit => format!("missing unit in duration {value:?}"),
            DurationError::UnknownUnit => format!(
                "unknown unit {:?} in duration {value:?}",
                unknown_unit(&value).unwrap_or_default()
            ),
            DurationError::Malformed | DurationError::TooLong => {
                format!("invalid duration {value:?}")
            }
        };
        ApiError::bad_request(format!(
            "invalid timeout specified in the request URL - time: {why}"
        ))
    })?;
    Ok((wished > units::Duration::ZERO).then(|| wished.to_std()))
}

fn too_many() -> Reply {
    let sentence = "Too many requests, please try again later.\n".to_owned();
    let mut reply = text(StatusCode::TOO_MANY_REQUESTS, sentence);
    let headers = reply.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    reply
}
