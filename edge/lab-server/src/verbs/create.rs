//! create.

use crate::backend::{self, Refused, Write};
use crate::body::Reply;
use crate::call::Call;
use crate::stored::Draft;
use crate::verbs::input;
use crate::{admission, kinds};
use http::StatusCode;
use k8s::status::ApiError;
use lab_kinds::names;
use objects::Expect;
use serde_json::Value;
use std::sync::Arc;

use crate::stored::Stored;

/// How often a generated name may collide. Upstream: registry/generic/registry/store.go.
const TRIES: usize = 8;

/// Answers a create.
pub(crate) async fn create(call: &Call, bytes: &[u8]) -> Reply {
    let mut object = input::parse(call, bytes)?;
    input::check_place(call, &mut object)?;
    let warnings = input::check_fields(call, bytes, &mut object)?;
    let created = insert(call, object).await?;
    let mut response = match created {
        Created::Kept(stored) => call.answer(StatusCode::CREATED, &stored)?,
        Created::Dry(value) => call.answer_value(StatusCode::CREATED, value)?,
    };
    input::warn(&mut response, &warnings);
    Ok(response)
}

/// What a create left.
pub(crate) enum Created {
    /// The object is in the store.
    Kept(Arc<Stored>),
    /// The object would be in the store.
    Dry(Value),
}

/// Makes an object of the call's resource; its place is already checked.
pub(crate) async fn insert(call: &Call, object: Value) -> Result<Created, ApiError> {
    let mut object = kinds::to_storage(&call.resource, object)?;
    let generated = begin_metadata(call, &mut object)?;
    kinds::default(&call.resource, &mut object);
    admission::on_create(call, &mut object).await?;
    kinds::prepare_create(call.inner.gates, &call.resource, &mut object);
    let mut tries = if generated { TRIES } else { 1 };
    loop {
        check(call, &object)?;
        tries -= 1;
        let mut finished = object.clone();
        let _held = admission::hold(call).await;
        admission::allocate(call, &mut finished)?;
        kinds::finish(&call.resource, &mut finished);
        match put_new(call, &finished).await {
            Err(error) if error.reason == "AlreadyExists" && tries > 0 => {
                generate_name(&mut object);
            }
            result => return result,
        }
    }
}

fn check(call: &Call, object: &Value) -> Result<(), ApiError> {
    let errors = kinds::validate_create(call.inner.gates, &call.resource, object);
    if errors.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    Err(ApiError::invalid(
        &call.resource.group,
        &call.resource.kind,
        name,
        &errors,
    ))
}

async fn put_new(call: &Call, object: &Value) -> Result<Created, ApiError> {
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let key = backend::key(call.namespace(), name);
    let exists = || ApiError::already_exists(call.resource.named(), name);
    if call.dry_run()? {
        let there = call
            .inner
            .backend
            .get(&call.resource.collection, &key)
            .is_some();
        return if there {
            Err(exists())
        } else {
            Ok(Created::Dry(object.clone()))
        };
    }
    let write = Write {
        collection: call.resource.collection.clone(),
        key,
        expect: Expect::Absent,
        draft: Some(Draft::new(object)),
    };
    match call.inner.backend.write(write).await {
        Ok(written) => written
            .stored
            .map(Created::Kept)
            .ok_or_else(|| ApiError::internal("nothing was stored")),
        Err(Refused::Mismatch(_)) => Err(exists()),
        Err(error) => Err(ApiError::internal(error)),
    }
}

/// Fills in what the server decides about a new object; says whether its name was generated.
///
/// Upstream: apiserver/pkg/registry/rest/create.go, meta.go.
fn begin_metadata(call: &Call, object: &mut Value) -> Result<bool, ApiError> {
    let Some(metadata) = input::metadata(object) else {
        return Err(ApiError::bad_request("metadata must be an object"));
    };
    let version = metadata
        .get("resourceVersion")
        .and_then(Value::as_str)
        .unwrap_or("");
    if !version.is_empty() && version != "0" {
        return Err(ApiError::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    for key in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    ] {
        metadata.remove(key);
    }
    metadata.insert("uid".to_owned(), uuid::Uuid::new_v4().to_string().into());
    metadata.insert("creationTimestamp".to_owned(), timestamp(call.now).into());
    let has = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .is_some_and(|v| !v.is_empty())
    };
    let generated = !has("name") && has("generateName");
    if generated {
        generate_name(object);
    } else if !has("name") {
        metadata.remove("name");
    }
    Ok(generated)
}

fn generate_name(object: &mut Value) {
    let mut random = [0; names::SUFFIX_LENGTH];
    random.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..names::SUFFIX_LENGTH]);
    let base = object["metadata"]["generateName"].as_str().unwrap_or("");
    object["metadata"]["name"] = names::generate(base, random).into();
}

/// A time as objects have it: whole seconds.
pub(crate) fn timestamp(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
