//! scale: how many replicas, for every kind that has them.
//!
//! Upstream: pkg/registry/apps/*/storage/storage.go (ScaleREST), autoscaling/v1 Scale.

use super::plain;
use crate::body::{self, Reply};
use crate::call::Call;
use crate::crd::Scale;
use crate::kinds::PatchKind;
use crate::verbs::update::{self, Changed};
use crate::verbs::{input, patch};
use http::StatusCode;
use k8s::selector::LabelSelector;
use k8s::status::{ApiError, FieldError};
use serde_json::{Value, json};

/// Answers a get.
pub(super) fn get(call: &Call) -> Reply {
    Ok(body::json(
        StatusCode::OK,
        &of(call, &call.current()?.value())?,
    ))
}

/// Answers an update.
pub(super) async fn update(call: &Call, bytes: &[u8]) -> Reply {
    let scale = input::parse(call, bytes)?;
    check(call, &scale)?;
    change(call, |_| Ok(scale.clone())).await
}

/// Answers a patch.
pub(super) async fn patch(call: &Call, bytes: &[u8]) -> Reply {
    let kind = patch::kind(call)?;
    let patch: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
    change(call, |object| {
        let shown = of(call, object)?;
        let mut scale = match kind {
            PatchKind::Json => lab_schema::patch::json_patch(&shown, &patch)?,
            // A Scale has no lists, so both kinds of merging are the same.
            PatchKind::Merge | PatchKind::Strategic => {
                lab_schema::patch::merge_patch(&shown, &patch)?
            }
        };
        check(call, &scale)?;
        if scale["metadata"]["resourceVersion"] == shown["metadata"]["resourceVersion"] {
            scale["metadata"]["resourceVersion"] = Value::Null;
        }
        Ok(scale)
    })
    .await
}

async fn change(call: &Call, make: impl Fn(&Value) -> Result<Value, ApiError>) -> Reply {
    let call = Call {
        path: crate::path::ResourcePath {
            subresource: None,
            ..call.path.clone()
        },
        ..plain(call)
    };
    let changed = update::change(&call, |object| {
        let scale = make(object)?;
        let mut new = object.clone();
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        match scale_of(&call) {
            Some(paths) => paths.set(&mut new, replicas),
            None => new["spec"]["replicas"] = replicas.into(),
        }
        new["metadata"]["resourceVersion"] = scale["metadata"]["resourceVersion"].clone();
        if let Some(uid) = scale["metadata"]["uid"]
            .as_str()
            .filter(|uid| !uid.is_empty())
        {
            new["metadata"]["uid"] = uid.into();
        }
        Ok(new)
    });
    let object = match changed.await? {
        Changed::Kept(stored) => stored.value(),
        Changed::Value(value) => value,
    };
    Ok(body::json(StatusCode::OK, &of(&call, &object)?))
}

fn check(call: &Call, scale: &Value) -> Result<(), ApiError> {
    let replicas = &scale["spec"]["replicas"];
    let problem = match replicas.as_i64() {
        Some(count) if count < 0 => "must be greater than or equal to 0",
        None if !replicas.is_null() => "must be a whole number",
        _ => return Ok(()),
    };
    let error = FieldError::invalid("spec.replicas", replicas, problem);
    Err(ApiError::invalid(
        "autoscaling",
        "Scale",
        call.name(),
        &[error],
    ))
}

/// Where a custom resource has its replicas.
fn scale_of(call: &Call) -> Option<&Scale> {
    call.resource.custom.as_ref()?.scale.as_ref()
}

/// The Scale of an object.
fn of(call: &Call, object: &Value) -> Result<Value, ApiError> {
    match scale_of(call) {
        Some(paths) => of_custom(paths, object),
        None => Ok(of_builtin(object)),
    }
}

/// Upstream: scaleFromCustomResource (apiextensions-apiserver/pkg/registry/customresource/etcd.go).
fn of_custom(paths: &Scale, object: &Value) -> Result<Value, ApiError> {
    let replicas = object.pointer(&paths.spec).and_then(Value::as_i64);
    let replicas = replicas.ok_or_else(|| {
        let path = paths.spec.replace('/', ".");
        ApiError::internal(format!("the spec replicas field {path:?} does not exist"))
    })?;
    let mut scale = head(object);
    if replicas != 0 {
        scale["spec"]["replicas"] = replicas.into();
    }
    let now = object.pointer(&paths.status).and_then(Value::as_i64);
    scale["status"]["replicas"] = now.unwrap_or(0).into();
    let selector = paths
        .selector
        .as_ref()
        .and_then(|path| object.pointer(path));
    if let Some(selector) = selector.filter(|selector| selector.is_string()) {
        scale["status"]["selector"] = selector.clone();
    }
    Ok(scale)
}

fn head(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {},
    })
}

fn of_builtin(object: &Value) -> Value {
    let mut scale = head(object);
    let now = object["status"]["replicas"].as_i64();
    scale["status"]["replicas"] = now.unwrap_or(0).into();
    // Go leaves a zero out.
    if let Some(replicas) = object["spec"]["replicas"]
        .as_i64()
        .filter(|count| *count != 0)
    {
        scale["spec"]["replicas"] = replicas.into();
    }
    let selector = &object["spec"]["selector"];
    let selector = match selector.as_object() {
        Some(labels) if object["kind"] == "ReplicationController" => {
            LabelSelector::from_map(labels).to_string()
        }
        Some(_) => LabelSelector::from_object(selector)
            .map(|found| found.to_string())
            .unwrap_or_default(),
        None => String::new(),
    };
    if !selector.is_empty() {
        scale["status"]["selector"] = selector.into();
    }
    scale
}
