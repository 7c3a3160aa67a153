//! Server-side apply.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/patch.go (applyPatcher).

use crate::body::Reply;
use crate::call::Call;
use crate::kinds;
use crate::verbs::create::{self, Created};
use crate::verbs::{input, update};
use http::StatusCode;
use http::header::USER_AGENT;
use k8s::status::{ApiError, FieldError};
use lab_schema::apply::{self, Change};
use serde_json::Value;

/// The media type.
pub(crate) const MEDIA: &str = "application/apply-patch+yaml";

/// Answers an apply.
pub(crate) async fn apply(call: &Call, bytes: &[u8]) -> Reply {
    let mut wish = parse(bytes)?;
    let name = wish["metadata"]["name"].as_str().unwrap_or("");
    if !name.is_empty() && name != call.name() {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    input::check_place(call, &mut wish)?;
    wish["metadata"]["name"] = call.name().into();
    if call.query.get("fieldManager").is_none() {
        let error = FieldError::required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            &[error],
        ));
    }
    match call.current() {
        Err(_) if call.path.subresource.is_none() => match insert(call, &wish).await {
            // Somebody made it meanwhile.
            Err(error) if error.reason == "AlreadyExists" => change(call, &wish).await,
            reply => reply,
        },
        _ => change(call, &wish).await,
    }
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let text = std::str::from_utf8(bytes).unwrap_or("");
    let value = match value {
        Some(value) => value,
        None => serde_saphyr::from_str(text)
            .map_err(|error| ApiError::bad_request(format!("error decoding YAML: {error}")))?,
    };
    if value.is_object() {
        return Ok(value);
    }
    Err(ApiError::bad_request(
        "the object to apply is not an object",
    ))
}

async fn insert(call: &Call, wish: &Value) -> Reply {
    let object = merged(call, None, wish)?;
    match create::insert(call, object).await? {
        Created::Kept(stored) => call.answer(StatusCode::CREATED, &stored),
        Created::Dry(value) => call.answer_value(StatusCode::CREATED, value),
    }
}

async fn change(call: &Call, wish: &Value) -> Reply {
    let changed = update::change_owned(call, |old| {
        let shown = kinds::to_version(&call.resource, old.clone())?;
        let mut new = merged(call, Some(&shown), wish)?;
        // A version that the wish does not name does not pin it.
        if wish["metadata"]["resourceVersion"].is_null()
            && let Some(metadata) = input::metadata(&mut new)
        {
            metadata.remove("resourceVersion");
        }
        kinds::to_storage(&call.resource, new)
    });
    changed.await?.answer(call)
}

fn merged(call: &Call, live: Option<&Value>, wish: &Value) -> Result<Value, ApiError> {
    let of = kinds::schema(&call.resource).ok_or_else(|| {
        ApiError::unsupported_media_type(
            "application/json-patch+json, application/merge-patch+json",
        )
    })?;
    let api_version = call.resource.api_version();
    let change = Change {
        of,
        api_version: &api_version,
        manager: &manager(call),
        subresource: call.path.subresource.as_deref().unwrap_or(""),
        now: call.now,
    };
    apply::apply(&change, live, wish, call.query.flag("force"))
}

/// Who changes the object. Upstream: managerOrUserAgent.
fn manager(call: &Call) -> String {
    let agent = call
        .headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let agent = agent.split('/').next().unwrap_or("");
    call.query.get("fieldManager").unwrap_or(agent).to_owned()
}

/// Records a change that is no apply, for objects that were applied before.
pub(crate) fn record(call: &Call, old: &Value, new: &mut Value) {
    let applied = |object: &Value| object["metadata"]["managedFields"].is_array();
    if !applied(old) && !applied(new) {
        return;
    }
    let Some(of) = kinds::schema(&call.resource) else {
        return;
    };
    let api_version = call.resource.storage.api_version();
    let change = Change {
        of,
        api_version: &api_version,
        manager: &manager(call),
        subresource: call.path.subresource.as_deref().unwrap_or(""),
        now: call.now,
    };
    apply::update_managed_fields(&change, old, new);
}
