//! Objects in request bodies.

use crate::body::Body;
use crate::call::Call;
use crate::{kinds, protobuf};
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue, WARNING};
use k8s::status::ApiError;
use lab_schema::fields::Validation;
use serde_json::Value;

const ACCEPTED: &str = "application/json, application/vnd.kubernetes.protobuf";

/// The media type of a request's body.
pub(crate) fn media(call: &Call) -> &str {
    let header = call
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    header
        .unwrap_or("application/json")
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
}

/// Parses a JSON body.
pub(crate) fn parse(call: &Call, bytes: &[u8]) -> Result<Value, ApiError> {
    match media(call) {
        "application/json" | "" => {}
        protobuf::MEDIA => return protobuf::decode(bytes),
        _ => return Err(ApiError::unsupported_media_type(ACCEPTED)),
    }
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::bad_request(format!("the object provided is not valid JSON: {error}"))
    })?;
    if !value.is_object() {
        return Err(ApiError::bad_request(
            "the object provided is not a JSON object",
        ));
    }
    Ok(value)
}

/// Checks that a body is of the resource that the path names, in the namespace it names, and
/// fills in what it leaves out.
pub(crate) fn check_place(call: &Call, object: &mut Value) -> Result<(), ApiError> {
    let (kind, version) = (&call.resource.kind, call.resource.api_version());
    fill(object, "apiVersion", &version, |given| {
        format!(
            "the API version in the data ({given}) does not match the expected API version ({version})"
        )
    })?;
    fill(object, "kind", kind, |given| {
        format!("{given} in version {version:?} cannot be handled as a {kind}")
    })?;
    let Some(metadata) = metadata(object) else {
        return Err(ApiError::bad_request("metadata must be an object"));
    };
    if call.resource.namespaced {
        let expected = call.namespace();
        match metadata
            .get("namespace")
            .and_then(Value::as_str)
            .unwrap_or("")
        {
            "" => {
                metadata.insert("namespace".to_owned(), expected.into());
            }
            given if given == expected => {}
            _ => {
                return Err(ApiError::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
        }
    } else {
        metadata.remove("namespace");
    }
    Ok(())
}

/// The metadata of an object, made if it is not there; `None` if it is something else.
pub(crate) fn metadata(object: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    let object = object.as_object_mut()?;
    let metadata = object
        .entry("metadata")
        .or_insert_with(|| Value::Object(serde_json::Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(serde_json::Map::new());
    }
    metadata.as_object_mut()
}

fn fill(
    object: &mut Value,
    key: &str,
    expected: &str,
    wrong: impl Fn(&str) -> String,
) -> Result<(), ApiError> {
    match object.get(key).and_then(Value::as_str).unwrap_or("") {
        "" => object[key] = expected.into(),
        given if given == expected => {}
        given => return Err(ApiError::bad_request(wrong(given))),
    }
    Ok(())
}

/// What the call says about unknown fields.
pub(crate) fn validation(call: &Call) -> Result<Validation, ApiError> {
    let text = call.query.get("fieldValidation").unwrap_or("");
    Validation::parse(text).ok_or_else(|| {
        ApiError::bad_request(format!(
            "fieldValidation: Unsupported value: {text:?}: supported values: \"Ignore\", \"Strict\", \"Warn\""
        ))
    })
}

/// Checks fields as `fieldValidation` asks, and drops unknown ones; returns warnings.
pub(crate) fn check_fields(
    call: &Call,
    bytes: &[u8],
    object: &mut Value,
) -> Result<Vec<String>, ApiError> {
    let raw = (media(call) != protobuf::MEDIA).then_some(bytes);
    kinds::check_fields(&call.resource, raw, validation(call)?, object)
}

/// Adds `Warning` headers. Upstream: net/util/http (NewWarningHeader).
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}
