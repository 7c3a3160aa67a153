//! What is below an object: status, scale, binding, token, log, exec, …

use crate::body::{self, Body, Reply};
use crate::call::Call;
use crate::verbs::{patch, read, update};
use http::Request;
use k8s::status::ApiError;

/// Answers a request for a subresource.
pub(crate) async fn answer(call: &Call, verb: &str, request: Request<Body>) -> Reply {
    let name = call.path.subresource.as_deref().unwrap_or("");
    let Some(subresource) = call.resource.subresource(name) else {
        return Err(ApiError::path_not_found());
    };
    if !subresource.verbs.iter().any(|known| known == verb) {
        return Err(ApiError::method_not_allowed());
    }
    match (name, verb) {
        ("status" | "finalize" | "approval" | "resize" | "ephemeralcontainers", "get") => {
            read::get(call)
        }
        ("status" | "finalize" | "approval", "update") => {
            update::update(call, &body::read(request.into_body()).await?).await
        }
        ("status" | "approval", "patch") => {
            patch::patch(call, &body::read(request.into_body()).await?).await
        }
        _ => Err(ApiError::path_not_found()),
    }
}
