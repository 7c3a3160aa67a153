//! patch: JSON patch, merge patch, strategic merge patch, server-side apply.

use crate::body::Reply;
use crate::call::Call;
use crate::verbs::{input, update};
use k8s::status::ApiError;
use serde_json::Value;

const ACCEPTED: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/// Answers a patch.
pub(crate) async fn patch(call: &Call, bytes: &[u8]) -> Reply {
    let media = input::media(call).to_owned();
    if !matches!(
        media.as_str(),
        "application/merge-patch+json" | "application/strategic-merge-patch+json"
    ) {
        return Err(ApiError::unsupported_media_type(ACCEPTED));
    }
    let patch: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("the patch is not valid JSON: {error}")))?;
    let changed = update::change(call, |old| {
        let mut new = old.clone();
        if let Some(metadata) = input::metadata(&mut new) {
            metadata.remove("resourceVersion");
        }
        merge(&mut new, &patch);
        Ok(new)
    });
    changed.await?.answer(call)
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    for (key, value) in patch {
        if value.is_null() {
            if let Some(target) = target.as_object_mut() {
                target.remove(key);
            }
        } else {
            merge(&mut target[key.as_str()], value);
        }
    }
}
