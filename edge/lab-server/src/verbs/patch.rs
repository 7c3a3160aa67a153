//! patch: JSON patch, merge patch, strategic merge patch, server-side apply.

use crate::body::Reply;
use crate::call::Call;
use crate::kinds::{self, PatchKind};
use crate::verbs::{apply, input, update};
use k8s::status::ApiError;
use serde_json::Value;

const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

/// Answers a patch.
pub(crate) async fn patch(call: &Call, bytes: &[u8]) -> Reply {
    if input::media(call) == apply::MEDIA {
        return apply::apply(call, bytes).await;
    }
    let kind = kind(call)?;
    let patch: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
    let validation = input::validation(call)?;
    let mut warnings = Vec::new();
    let changed = update::change(call, |old| {
        let shown = kinds::to_version(&call.resource, old.clone())?;
        let (mut new, found) = kinds::patched(&call.resource, kind, validation, (&shown, &patch))?;
        warnings = found;
        check_identity(call, &shown, &new)?;
        unpin(&shown, &mut new);
        kinds::to_storage(&call.resource, new)
    });
    let mut response = changed.await?.answer(call)?;
    input::warn(&mut response, &warnings);
    Ok(response)
}

/// What the content type says the patch is.
pub(crate) fn kind(call: &Call) -> Result<PatchKind, ApiError> {
    match input::media(call) {
        "application/json-patch+json" => Ok(PatchKind::Json),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchKind::Strategic),
        _ => Err(ApiError::unsupported_media_type(ACCEPTED)),
    }
}

/// A patch may not turn an object into another.
fn check_identity(call: &Call, old: &Value, new: &Value) -> Result<(), ApiError> {
    if old["metadata"]["name"] != new["metadata"]["name"] {
        let given = new["metadata"]["name"].as_str().unwrap_or("");
        return Err(ApiError::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    if old["metadata"]["namespace"] != new["metadata"]["namespace"] {
        return Err(ApiError::bad_request(
            "the namespace of the object does not match the namespace on the request",
        ));
    }
    Ok(())
}

/// A resource version that the patch did not set does not pin the change to it.
fn unpin(old: &Value, new: &mut Value) {
    if old["metadata"]["resourceVersion"] == new["metadata"]["resourceVersion"]
        && let Some(metadata) = input::metadata(new)
    {
        metadata.remove("resourceVersion");
    }
}
