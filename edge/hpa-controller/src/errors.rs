//! Errors as client-go words them: they end up in conditions and events.

use std::time::Duration;
use tokio::time::timeout;

/// No request to the API takes longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// A request's failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API answered with an error, or could not be asked.
    #[error("{}", api_text(.0, .1))]
    Api(kube::Error, &'static str),
    /// It took too long.
    #[error("the request to {0} did not complete within 15s")]
    Timeout(&'static str),
}

impl Error {
    /// The HTTP status, if there was an answer.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Api(kube::Error::Api(status), _) => Some(status.code),
            _ => None,
        }
    }
}

/// Waits for a request, but not for ever. `what` names what was asked for, as `get pods.metrics.k8s.io`.
pub(crate) async fn request<T>(
    what: &'static str,
    asked: impl Future<Output = kube::Result<T>>,
) -> Result<T, Error> {
    match timeout(REQUEST_TIMEOUT, asked).await {
        Ok(answer) => answer.map_err(|error| Error::Api(error, what)),
        Err(_) => Err(Error::Timeout(what)),
    }
}

/// The text of an error. Where the answer was no Status object, or one that says no more than its code,
/// client-go makes up a sentence from the code. Upstream: apimachinery/pkg/api/errors, NewGenericServerResponse.
fn api_text(error: &kube::Error, what: &str) -> String {
    let kube::Error::Api(status) = error else {
        return with_causes(error);
    };
    let said = status.message.as_str();
    if !said.is_empty() && !GENERIC.contains(&said) && status.reason != "Failed to parse error data"
    {
        return said.to_owned();
    }
    match status.code {
        404 => format!("{} ({what})", GENERIC[0]),
        503 => format!("{} ({what})", GENERIC[1]),
        429 => "the server has received too many requests and has asked us to try again later"
            .to_owned(),
        504 => format!(
            "the server was unable to return a response in the time allotted, but may still be processing the request ({what})"
        ),
        code if code >= 500 => {
            format!(
                "an error on the server ({said:?}) has prevented the request from succeeding ({what})"
            )
        }
        code => format!(
            "the server responded with the status code {code} but did not return more information ({what})"
        ),
    }
}

/// What says no more than 404 and 503.
const GENERIC: [&str; 2] = [
    "the server could not find the requested resource",
    "the server is currently unable to handle the request",
];

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
