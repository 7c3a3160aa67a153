//! Errors as client-go words them: they end up in conditions and events.

use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Client;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::timeout;

/// No request to the API takes longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// A request's failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API answered with an error, or could not be asked.
    #[error("{}", api_text(.0, .1))]
    Api(kube::Error, Cow<'static, str>),
    /// A metrics API answered with an error: its status, and what client-go makes of it.
    #[error("{1}")]
    Refused(u16, String),
    /// It took too long.
    #[error("the request to {0} did not complete within 15s")]
    Timeout(Cow<'static, str>),
}

impl Error {
    /// The HTTP status, if there was an answer.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Api(kube::Error::Api(status), _) => Some(status.code),
            Self::Refused(code, _) => Some(*code),
            _ => None,
        }
    }
}

/// Waits for a request, but not for ever. `what` names what was asked for, as `get pods.metrics.k8s.io`.
pub(crate) async fn request<T>(
    what: impl Into<Cow<'static, str>>,
    asked: impl Future<Output = kube::Result<T>>,
) -> Result<T, Error> {
    match timeout(REQUEST_TIMEOUT, asked).await {
        Ok(answer) => answer.map_err(|error| Error::Api(error, what.into())),
        Err(_) => Err(Error::Timeout(what.into())),
    }
}

/// Gets from a metrics API, which is somebody else's program: whatever it answers becomes what client-go
/// would say. Upstream: client-go/rest/request.go, transformResponse and Result.Error.
pub(crate) async fn get<T: DeserializeOwned>(
    client: &Client,
    uri: String,
    what: String,
) -> Result<T, Error> {
    let asked = async {
        let ask = Request::get(uri)
            .header(header::ACCEPT, "application/json")
            .body(kube::client::Body::empty())
            .map_err(kube::Error::HttpError)?;
        let (head, body) = client.send(ask).await?.into_parts();
        Ok((head, body.collect().await?.to_bytes()))
    };
    let (head, body) = request(what.clone(), asked).await?;
    if head.status.is_success() {
        let read = serde_json::from_slice(&body).map_err(kube::Error::SerdeError);
        return read.map_err(|error| Error::Api(error, what.into()));
    }
    let code = head.status.as_u16();
    let status: Option<Status> = serde_json::from_slice(&body).ok();
    let said = status
        .filter(|s| s.status.as_deref() == Some("Failure"))
        .and_then(|s| s.message)
        .filter(|message| says_more_than_a_code(message));
    let kind = head.headers.get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/"));
    let text = if is_text {
        String::from_utf8_lossy(&body).trim().to_owned()
    } else {
        "unknown".to_owned()
    };
    let made_up = || format!("{} ({what})", of_code(head.status, &text));
    Err(Error::Refused(code, said.unwrap_or_else(made_up)))
}

/// The text of an error: the server's own, or one made of the code where that is no Status object.
fn api_text(error: &kube::Error, what: &str) -> String {
    let kube::Error::Api(status) = error else {
        return with_causes(error);
    };
    if status.reason != NO_STATUS && says_more_than_a_code(&status.message) {
        return status.message.clone();
    }
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    format!("{} ({what})", of_code(code, &status.message))
}

/// Upstream's API server has no Status object for paths that it does not serve; the lab's has this one.
fn says_more_than_a_code(message: &str) -> bool {
    !message.is_empty() && message != of_code(StatusCode::NOT_FOUND, "")
}

/// What the client library calls an answer that is no Status object.
const NO_STATUS: &str = "Failed to parse error data";

/// What client-go says of a code. Upstream: apimachinery/pkg/api/errors, NewGenericServerResponse.
fn of_code(code: StatusCode, said: &str) -> String {
    let text = match code.as_u16() {
        400 => "the server rejected our request for an unknown reason",
        401 => "the server has asked for the client to provide credentials",
        403 | 415 => said,
        404 => "the server could not find the requested resource",
        405 => "the server does not allow this method on the requested resource",
        406 if !["", "unknown"].contains(&said) => said,
        406 => "the server was unable to respond with a content type that the client supports",
        409 => "the server reported a conflict",
        422 => "the server rejected our request due to an error in our request",
        429 => "the server has received too many requests and has asked us to try again later",
        503 => "the server is currently unable to handle the request",
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
        }
        500.. => {
            let said = k8s::quote::quoted(said);
            return format!(
                "an error on the server ({said}) has prevented the request from succeeding"
            );
        }
        other => {
            return format!(
                "the server responded with the status code {other} but did not return more information"
            );
        }
    };
    text.to_owned()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
