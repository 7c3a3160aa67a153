//! What a kubelet refuses in plain words, as the API says it.
//!
//! Upstream: registry/generic/rest/response_checker.go (GenericHttpResponseChecker).

use crate::body::{self, Body};
use bytes::Bytes;
use http::{Response, StatusCode};
use k8s::status::{ApiError, GroupResource};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

#[cfg(test)]
mod tests;

/// For the words to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer as it is, or its code and words if it is a refusal.
pub(super) async fn check(answer: Response<Body>) -> Result<Response<Body>, (StatusCode, String)> {
    let code = answer.status();
    if code.is_success() {
        return Ok(answer);
    }
    let words = match timeout(PATIENCE, body::read(answer.into_body())).await {
        Ok(Ok(words)) => words,
        // The code alone says enough.
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    Err((code, String::from_utf8_lossy(&words).into_owned()))
}

/// The API's error for a refusal.
///
/// Upstream: NewGenericServerResponse (apimachinery/pkg/api/errors/errors.go) for what has no words of its own.
pub(super) fn error(
    of: GroupResource<'_>,
    name: &str,
    (code, words): (StatusCode, String),
) -> ApiError {
    match code {
        StatusCode::BAD_REQUEST => return ApiError::bad_request(words),
        StatusCode::INTERNAL_SERVER_ERROR => return ApiError::internal(words),
        _ => {}
    }
    let (reason, message) = match code {
        StatusCode::NOT_FOUND => (
            "NotFound",
            "the server could not find the requested resource".to_owned(),
        ),
        StatusCode::UNAUTHORIZED => (
            "Unauthorized",
            "the server has asked for the client to provide credentials".to_owned(),
        ),
        // The words are the only ones of use here.
        StatusCode::FORBIDDEN => ("Forbidden", words),
        _ => (
            "",
            format!(
                "the server responded with the status code {} but did not return more information",
                code.as_u16()
            ),
        ),
    };
    ApiError {
        code: code.as_u16(),
        reason,
        message: format!("{message} ( {of} {name})"),
        details: Some(json!({"name": name, "kind": of.resource})),
    }
}
