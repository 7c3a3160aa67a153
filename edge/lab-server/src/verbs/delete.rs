//! delete and deletecollection.

use crate::backend::{Refused, Write};
use crate::body::{self, Reply};
use crate::call::Call;
use http::StatusCode;
use k8s::status::ApiError;
use objects::Expect;
use serde_json::json;

/// Answers a delete.
pub(crate) async fn delete(call: &Call, _bytes: &[u8]) -> Reply {
    let stored = call.current()?;
    let write = Write {
        collection: call.resource.collection.clone(),
        key: call.key(),
        expect: Expect::At(stored.revision),
        draft: None,
    };
    match call.inner.backend.write(write).await {
        Ok(_) => {}
        Err(Refused::Mismatch(_)) => {
            return Err(ApiError::stale(call.resource.named(), call.name()));
        }
        Err(error) => return Err(ApiError::internal(error)),
    }
    let mut details =
        json!({"name": call.name(), "kind": call.resource.resource, "uid": &*stored.meta.uid});
    if !call.resource.group.is_empty() {
        details["group"] = call.resource.group.as_str().into();
    }
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok(body::json(StatusCode::OK, &status))
}

/// Answers a deletecollection.
pub(crate) async fn delete_collection(_call: &Call, _bytes: &[u8]) -> Reply {
    Err(ApiError::method_not_allowed())
}
