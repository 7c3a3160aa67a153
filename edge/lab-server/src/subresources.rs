//! What is below an object: status, scale, binding, token, log, exec, …

use crate::body::{self, Body, Reply};
use crate::call::Call;
use crate::negotiate::Form;
use crate::proxy;
use crate::verbs::{patch, read, update};
use http::{Request, StatusCode};
use k8s::status::ApiError;
use serde_json::json;

mod pods;
mod scale;
mod token;

/// Answers a request for a subresource.
pub(crate) async fn answer(call: &Call, verb: &str, request: Request<Body>) -> Reply {
    let name = call.path.subresource.clone().unwrap_or_default();
    let subresource = call.resource.subresource(&name);
    let subresource = subresource.ok_or_else(ApiError::path_not_found)?;
    if !subresource.verbs.iter().any(|known| known == verb) {
        return Err(ApiError::method_not_allowed());
    }
    match name.as_str() {
        "proxy" | "log" | "exec" | "attach" | "portforward" => {
            return proxy::answer(call, &name, request).await;
        }
        _ => {}
    }
    let bytes = body::read(request.into_body()).await?;
    match (name.as_str(), verb) {
        ("scale", "get") => scale::get(call),
        ("scale", "update") => scale::update(call, &bytes).await,
        ("scale", "patch") => scale::patch(call, &bytes).await,
        ("binding", _) => pods::bind(call, &bytes).await,
        ("eviction", _) => pods::evict(call, &bytes).await,
        ("token", _) => token::create(call, &bytes),
        (_, "get") => read::get(call),
        (_, "update") => update::update(call, &bytes).await,
        (_, "patch") => patch::patch(call, &bytes).await,
        _ => Err(ApiError::path_not_found()),
    }
}

/// What is answered when something was done and there is nothing to show.
fn done() -> Reply {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    Ok(body::json(StatusCode::CREATED, &status))
}

/// A call for the object itself, whatever form the subresource is asked for in.
fn plain(call: &Call) -> Call {
    Call {
        form: Form::Object,
        ..call.clone()
    }
}
