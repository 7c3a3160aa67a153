//! serviceaccounts/token: a token on request.
//!
//! Upstream: pkg/registry/core/serviceaccount/storage/token.go.

use crate::backend;
use crate::body::{self, Reply};
use crate::call::Call;
use crate::verbs::create::timestamp;
use crate::verbs::input;
use http::StatusCode;
use jiff::SignedDuration;
use k8s::status::{ApiError, FieldError, GroupResource};
use lab_auth::tokens::{Bound, Reference};
use serde_json::{Value, json};

/// Upstream: minExpirationSeconds of the validation of TokenRequest.
const SECONDS_MIN: i64 = 600;
const SECONDS_MAX: i64 = 1 << 32;
const SECONDS: i64 = 3600;

/// Makes a token.
pub(super) fn create(call: &Call, bytes: &[u8]) -> Reply {
    let mut request = input::parse(call, bytes)?;
    let account = call.current()?;
    let spec = &request["spec"];
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(SECONDS);
    check_seconds(seconds, &spec["expirationSeconds"])?;
    let audiences: Vec<String> = spec["audiences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|audience| audience.as_str().map(str::to_owned))
        .collect();
    let mut bound = Bound {
        namespace: call.namespace().to_owned(),
        service_account: Reference::new(&*account.meta.name, &*account.meta.uid),
        ..Bound::default()
    };
    bind(call, &spec["boundObjectRef"], &mut bound)?;
    let tokens = &call.inner.access.tokens;
    let token = tokens
        .mint(call.now, &bound, &audiences, seconds)
        .map_err(ApiError::internal)?;
    let end = call
        .now
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(call.now);
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    request["kind"] = "TokenRequest".into();
    request["metadata"]["name"] = call.name().into();
    request["metadata"]["namespace"] = call.namespace().into();
    request["spec"]["expirationSeconds"] = seconds.into();
    if audiences.is_empty() {
        request["spec"]["audiences"] = json!([lab_auth::tokens::ISSUER]);
    }
    request["status"] = json!({"token": token, "expirationTimestamp": timestamp(end)});
    Ok(body::json(StatusCode::CREATED, &request))
}

fn check_seconds(seconds: i64, given: &Value) -> Result<(), ApiError> {
    let problem = match seconds {
        ..SECONDS_MIN => "may not specify a duration less than 10 minutes",
        SECONDS_MIN..=SECONDS_MAX => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let error = FieldError::invalid("spec.expirationSeconds", given, problem);
    Err(ApiError::invalid(
        "authentication.k8s.io",
        "TokenRequest",
        "",
        &[error],
    ))
}

/// Ties a token to the object that the request names.
fn bind(call: &Call, reference: &Value, bound: &mut Bound) -> Result<(), ApiError> {
    let Some(kind) = reference["kind"].as_str() else {
        return Ok(());
    };
    let name = reference["name"].as_str().unwrap_or("");
    let (resource, namespace) = match kind {
        "Pod" => ("pods", call.namespace()),
        "Secret" => ("secrets", call.namespace()),
        "Node" => ("nodes", ""),
        _ => {
            return Err(ApiError::bad_request(format!(
                "cannot bind token to object of type {kind}"
            )));
        }
    };
    let of = GroupResource {
        group: "",
        resource,
    };
    let found = call
        .inner
        .backend
        .get(&format!("/{resource}"), &backend::key(namespace, name));
    let found = found.ok_or_else(|| ApiError::not_found(of, name))?;
    let uid = reference["uid"].as_str().unwrap_or("");
    if !uid.is_empty() && *uid != *found.meta.uid {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(ApiError::conflict(of, name, &why));
    }
    let reference = Some(Reference::new(name, &*found.meta.uid));
    match kind {
        "Pod" => {
            let pod = found.value();
            let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or("");
            if account != call.name() {
                return Err(ApiError::bad_request(format!(
                    "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
                    call.name()
                )));
            }
            bound.pod = reference;
            let node = pod["spec"]["nodeName"].as_str().unwrap_or("");
            let node = call.inner.backend.get("/nodes", &backend::key("", node));
            bound.node = node.map(|node| Reference::new(&*node.meta.name, &*node.meta.uid));
        }
        "Secret" => bound.secret = reference,
        _ => bound.node = reference,
    }
    Ok(())
}
