//! What is checked and filled in between decoding and validation.

use crate::backend;
use crate::call::Call;
use k8s::status::{ApiError, GroupResource};
use serde_json::Value;

/// Something that a create holds until it is written, such as the right to choose an address.
#[derive(Debug, Default)]
pub(crate) struct Held;

/// Admits a new object.
pub(crate) async fn on_create(call: &Call, _object: &mut Value) -> Result<Held, ApiError> {
    namespace_is_open(call)?;
    Ok(Held)
}

/// Objects need a namespace that is there and not going away.
///
/// Upstream: admission/plugin/namespace/lifecycle.
fn namespace_is_open(call: &Call) -> Result<(), ApiError> {
    let namespace = call.namespace();
    if namespace.is_empty() {
        return Ok(());
    }
    let namespaces = GroupResource {
        group: "",
        resource: "namespaces",
    };
    let found = call
        .inner
        .backend
        .get("/namespaces", &backend::key("", namespace));
    let Some(_found) = found else {
        return Err(ApiError::not_found(namespaces, namespace));
    };
    Ok(())
}
