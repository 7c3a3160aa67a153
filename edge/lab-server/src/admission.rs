//! What is checked and filled in between decoding and storing.
//!
//! Not here: LimitRanges and ResourceQuotas are stored but not enforced; admission webhooks and
//! policies are stored but not called.

use crate::backend;
use crate::call::Call;
use k8s::status::{ApiError, GroupResource};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

mod pods;
mod services;

/// The right to choose addresses and ports, held until they are stored.
pub(crate) type Held<'a> = Option<MutexGuard<'a, ()>>;

/// Waits for the right to allocate, for kinds that need it.
pub(crate) async fn hold(call: &Call) -> Held<'_> {
    if call.resource.is("", "services") {
        Some(call.inner.allocating.lock().await)
    } else {
        None
    }
}

/// Admits a new object, after its defaults and before its validation.
pub(crate) async fn on_create(call: &Call, object: &mut Value) -> Result<(), ApiError> {
    namespace_is_open(call, object)?;
    if call.resource.is("", "pods") {
        pods::admit(call, object).await?;
    }
    may_grant(call, None, object)
}

/// Admits a changed object, before its validation.
pub(crate) fn on_update(call: &Call, old: &Value, new: &Value) -> Result<(), ApiError> {
    may_grant(call, Some(old), new)
}

/// Allocates what a valid object lacks. Errors name the object as validation does.
pub(crate) fn allocate(call: &Call, object: &mut Value) -> Result<(), ApiError> {
    if !call.resource.is("", "services") {
        return Ok(());
    }
    let errors = services::allocate(call, object);
    if errors.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    Err(ApiError::invalid("", "Service", name, &errors))
}

/// Nobody grants what they do not have.
fn may_grant(call: &Call, old: Option<&Value>, new: &Value) -> Result<(), ApiError> {
    if call.resource.group != lab_auth::rbac::GROUP {
        return Ok(());
    }
    let index = call.inner.access.index(&call.inner.backend);
    index.confirm_no_escalation(&call.user, new, old)
}

/// Objects need a namespace that is there and not going away.
///
/// Upstream: admission/plugin/namespace/lifecycle.
fn namespace_is_open(call: &Call, object: &Value) -> Result<(), ApiError> {
    let namespace = call.namespace();
    if namespace.is_empty() {
        return Ok(());
    }
    let of = GroupResource {
        group: "",
        resource: "namespaces",
    };
    let found = call
        .inner
        .backend
        .get("/namespaces", &backend::key("", namespace));
    let found = found.ok_or_else(|| ApiError::not_found(of, namespace))?;
    if !found.meta.going {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let mut error = ApiError::forbidden(call.resource.named(), name, &why);
    let cause = json!({
        "reason": "NamespaceTerminating", "field": "metadata.namespace",
        "message": format!("namespace {namespace} is being terminated"),
    });
    if let Some(details) = &mut error.details {
        details["causes"] = json!([cause]);
    }
    Err(error)
}
