//! update, and what every change of an existing object has in common.

use crate::backend::{Refused, Write};
use crate::body::Reply;
use crate::call::Call;
use crate::stored::{Draft, Stored};
use crate::verbs::{apply, input};
use crate::{admission, kinds};
use http::StatusCode;
use k8s::status::ApiError;
use objects::Expect;
use serde_json::Value;
use std::sync::Arc;

/// How often a change is decided anew when others change the object meanwhile.
const TRIES: usize = 5;

/// Answers an update.
pub(crate) async fn update(call: &Call, bytes: &[u8]) -> Reply {
    let mut object = input::parse(call, bytes)?;
    input::check_place(call, &mut object)?;
    let given = object["metadata"]["name"].as_str().unwrap_or("");
    if given.is_empty() {
        object["metadata"]["name"] = call.name().into();
    } else if given != call.name() {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    let warnings = input::check_fields(call, bytes, &mut object)?;
    let object = kinds::to_storage(&call.resource, object)?;
    let changed = change(call, |_| Ok(object.clone())).await?;
    let mut response = changed.answer(call)?;
    input::warn(&mut response, &warnings);
    Ok(response)
}

/// What a change left.
#[derive(Debug)]
pub(crate) enum Changed {
    /// The object as it is stored.
    Kept(Arc<Stored>),
    /// The object as it would be, or as it was when it went.
    Value(Value),
}

impl Changed {
    /// The response.
    pub(crate) fn answer(self, call: &Call) -> Reply {
        match self {
            Self::Kept(stored) => call.answer(StatusCode::OK, &stored),
            Self::Value(value) => call.answer_value(StatusCode::OK, value),
        }
    }
}

/// Changes the call's object: `make` is told the object as it is and returns it as it shall be,
/// both in the storage version. With a resource version in what it returns, the change is refused
/// unless that is current; without, it is decided anew when another change came first.
pub(crate) async fn change(
    call: &Call,
    make: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Changed, ApiError> {
    attempt(call, make, Rules::Client).await
}

/// The same for changes that the server itself decides: what `make` returns is not subject to the
/// kind's rules about what clients may change.
pub(crate) async fn change_as_is(
    call: &Call,
    make: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Changed, ApiError> {
    attempt(call, make, Rules::None).await
}

/// The same for an apply, which keeps account of who owns which field itself.
pub(crate) async fn change_owned(
    call: &Call,
    make: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Changed, ApiError> {
    attempt(call, make, Rules::Apply).await
}

/// What a change is subject to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// The kind's rules, and the account of who owns which field.
    Client,
    /// The kind's rules.
    Apply,
    /// Nothing.
    None,
}

async fn attempt(
    call: &Call,
    mut make: impl FnMut(&Value) -> Result<Value, ApiError>,
    rules: Rules,
) -> Result<Changed, ApiError> {
    let stale = || ApiError::stale(call.resource.named(), call.name());
    let _held = admission::hold(call).await;
    for _ in 0..TRIES {
        let stored = call.current()?;
        let old = stored.value();
        let mut new = make(&old)?;
        let wanted = new["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        let pinned = !wanted.is_empty() && wanted != "0";
        if pinned && wanted != stored.revision.to_string() {
            return Err(stale());
        }
        if rules == Rules::Client {
            apply::record(call, &old, &mut new);
        }
        if rules != Rules::None {
            prepare(call, &old, &mut new)?;
        }
        if same(&old, &new) {
            return Ok(Changed::Kept(stored));
        }
        match write(call, &stored, new).await {
            Err(WriteError::Stale) if pinned => return Err(stale()),
            Err(WriteError::Stale) => {}
            Err(WriteError::Failed(error)) => return Err(error),
            Ok(changed) => return Ok(changed),
        }
    }
    Err(stale())
}

enum WriteError {
    Stale,
    Failed(ApiError),
}

impl From<ApiError> for WriteError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

async fn write(call: &Call, stored: &Stored, new: Value) -> Result<Changed, WriteError> {
    if call.dry_run()? {
        return Ok(Changed::Value(new));
    }
    let write = Write {
        collection: call.resource.collection.clone(),
        key: call.key(),
        expect: Expect::At(stored.revision),
        draft: (!is_finished(&new)).then(|| Draft::new(&new)),
    };
    match call.inner.backend.write(write).await {
        Ok(written) => match written.stored {
            Some(stored) => Ok(Changed::Kept(stored)),
            None => Ok(Changed::Value(new)),
        },
        Err(Refused::Mismatch(_)) => Err(WriteError::Stale),
        Err(error) => Err(WriteError::Failed(ApiError::internal(error))),
    }
}

/// Whether an object that is being deleted has nothing left that keeps it.
///
/// Upstream: ShouldDeleteDuringUpdate (registry/generic/registry/store.go).
fn is_finished(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let none = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let grace = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    metadata["deletionTimestamp"].is_string()
        && grace == 0
        && none(&metadata["finalizers"])
        && (object["kind"] != "Namespace" || none(&object["spec"]["finalizers"]))
}

/// Keeps what only the server decides, applies the kind's rules, and validates.
fn prepare(call: &Call, old: &Value, new: &mut Value) -> Result<(), ApiError> {
    let resource = &call.resource;
    let Some(metadata) = input::metadata(new) else {
        return Err(ApiError::bad_request("metadata must be an object"));
    };
    let uid = metadata.get("uid").and_then(Value::as_str).unwrap_or("");
    let actual = old["metadata"]["uid"].as_str().unwrap_or("");
    if !uid.is_empty() && uid != actual {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
        );
        return Err(ApiError::conflict(resource.named(), call.name(), &why));
    }
    for key in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ] {
        match old["metadata"].get(key) {
            Some(value) => metadata.insert(key.to_owned(), value.clone()),
            None => metadata.remove(key),
        };
    }
    metadata.remove("selfLink");
    kinds::default(resource, new);
    let (gates, subresource) = (call.inner.gates, call.path.subresource.as_deref());
    kinds::prepare_update(gates, resource, subresource, old, new);
    admission::on_update(call, old, new)?;
    let errors = kinds::validate_update(gates, resource, subresource, old, new);
    if !errors.is_empty() {
        return Err(ApiError::invalid(
            &resource.group,
            &resource.kind,
            call.name(),
            &errors,
        ));
    }
    admission::allocate(call, new)?;
    kinds::finish(resource, new);
    Ok(())
}

/// Whether two objects differ in nothing but their resource version.
fn same(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return false;
    };
    let rest = |key: &&String| *key != "metadata";
    let metadata = |object: &serde_json::Map<String, Value>| {
        let mut metadata = object.get("metadata").cloned().unwrap_or_default();
        if let Some(map) = metadata.as_object_mut() {
            map.remove("resourceVersion");
        }
        metadata
    };
    old.keys().filter(rest).count() == new.keys().filter(rest).count()
        && old
            .iter()
            .filter(|(key, _)| rest(key))
            .all(|(key, value)| new.get(key) == Some(value))
        && metadata(old) == metadata(new)
}
