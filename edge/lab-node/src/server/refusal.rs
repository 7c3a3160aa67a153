//! How the kubelet says no: a sentence, and a status that the API server understands.
//!
//! Upstream: pkg/kubelet/server/server.go (getContainerLogs, getExec, …), kubelet_pods.go (GetExec).

use super::{Body, text};
use http::{Response, StatusCode};
use k8s::status::ApiError;

/// No pod of this name is on the node; logs name it.
pub(super) fn no_pod(name: &str) -> ApiError {
    plain(404, "NotFound", format!("pod {name:?} does not exist"))
}

/// No pod of this name is on the node; streams do not.
pub(super) fn no_pod_to_stream() -> ApiError {
    plain(404, "NotFound", "pod does not exist".to_owned())
}

/// The pod has no such container.
pub(super) fn no_such_container(container: &str, pod: &str) -> ApiError {
    let message = format!("container {container:?} not found in pod {pod:?}");
    plain(404, "NotFound", message)
}

/// The container does not run, so nothing can be streamed.
pub(super) fn not_running(container: &str) -> ApiError {
    let message = format!("container not found ({container:?})");
    plain(500, "InternalError", message)
}

/// Parameters that make no sense. Upstream answers 422 and no more.
pub(super) fn invalid(why: &str) -> ApiError {
    plain(422, "Invalid", format!("Invalid request: {why}"))
}

/// What go-restful says about paths that nobody has, and methods that they do not take.
pub(super) fn no_route(known: bool) -> ApiError {
    if known {
        plain(
            405,
            "MethodNotAllowed",
            "405: Method Not Allowed".to_owned(),
        )
    } else {
        plain(404, "NotFound", "404: Page Not Found".to_owned())
    }
}

fn plain(code: u16, reason: &'static str, message: String) -> ApiError {
    ApiError {
        code,
        reason,
        message,
        details: None,
    }
}

/// Errors are plain text here; the API server makes Status objects of them.
pub(super) fn response(error: &ApiError) -> Response<Body> {
    let mut response = text("text/plain; charset=utf-8", error.message.clone());
    *response.status_mut() =
        StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
