//! Plain requests, for what a typed client hides.

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use lab_server::{Body, User};
use serde_json::Value;
use testkit::Lab;
use tower::ServiceExt;

/// A request and its answer.
pub(crate) async fn send(
    lab: &Lab,
    user: User,
    request: Request<Full<bytes::Bytes>>,
) -> (StatusCode, http::HeaderMap, Body) {
    let response = lab
        .server
        .as_user(user)
        .oneshot(request)
        .await
        .expect("infallible");
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body)
}

/// A body that must be JSON.
pub(crate) async fn value(body: Body) -> Value {
    let bytes = body.collect().await.expect("readable").to_bytes();
    serde_json::from_slice(&bytes).expect("a JSON body")
}

/// GET with headers, as an administrator.
pub(crate) async fn get(lab: &Lab, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut request = Request::get(path);
    for (key, value) in headers {
        request = request.header(*key, *value);
    }
    let request = request.body(Full::default()).expect("a request");
    let (status, _, body) = send(lab, admin(), request).await;
    (status, value(body).await)
}

/// Any method with a JSON body, as an administrator.
pub(crate) async fn write(
    lab: &Lab,
    method: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let kind = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(Full::from(body.to_string()))
        .expect("a request");
    let (status, _, body) = send(lab, admin(), request).await;
    (status, value(body).await)
}

pub(crate) fn admin() -> User {
    User::new("admin", &["system:masters"])
}
