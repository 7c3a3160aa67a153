//! /openapi/v2 and /openapi/v3: what clients know about fields.

use crate::body::{self, JSON, Reply, full, typed};
use crate::health::GIT_VERSION;
use crate::path::Query;
use crate::server::Inner;
use crate::{aggregate, crd};
use http::header::{ACCEPT, CACHE_CONTROL, HeaderValue};
use http::{HeaderMap, StatusCode};
use k8s::status::ApiError;
use lab_schema::openapi;
use lab_schema::schema::CrdSchema;

/// Answers the paths of OpenAPI documents; `None` for other paths.
pub(crate) fn answer(
    inner: &Inner,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Option<Reply> {
    let rest = path.strip_prefix("/openapi/")?.trim_end_matches('/');
    let registry = inner.registry();
    let crds = crd::custom_schemas(&registry);
    Some(match rest {
        "v2" => v2(&crds, headers),
        "v3" => Ok(body::json_bytes(
            StatusCode::OK,
            aggregate::openapi_index(inner, openapi::v3_index(GIT_VERSION, &crds)),
        )),
        _ => v3(&crds, rest.strip_prefix("v3/")?, query),
    })
}

fn v2(crds: &[CrdSchema<'_>], headers: &HeaderMap) -> Reply {
    let mut accepts = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let protobuf = accepts.any(|value| value.contains("com.github.proto-openapi.spec.v2"));
    Ok(if protobuf {
        let kind = HeaderValue::from_static(openapi::V2_PROTOBUF_CONTENT_TYPE);
        typed(
            StatusCode::OK,
            kind,
            full(openapi::v2_protobuf(GIT_VERSION, crds)),
        )
    } else {
        typed(
            StatusCode::OK,
            JSON,
            full(openapi::v2_json(GIT_VERSION, crds)),
        )
    })
}

/// `api/v1` or `apis/GROUP/VERSION`.
fn v3(crds: &[CrdSchema<'_>], rest: &str, query: &Query) -> Reply {
    let parts: Vec<&str> = rest.split('/').collect();
    let (group, version) = match parts.as_slice() {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => return Err(ApiError::path_not_found()),
    };
    let document = openapi::v3_document(GIT_VERSION, group, version, crds);
    let document = document.ok_or_else(ApiError::path_not_found)?;
    let mut response = body::json_bytes(StatusCode::OK, document);
    let hash = openapi::v3_hash(GIT_VERSION, group, version, crds);
    if query.get("hash") == Some(&hash) {
        // The address names this very document, so it may be kept for ever.
        let forever = HeaderValue::from_static("public, immutable");
        response.headers_mut().insert(CACHE_CONTROL, forever);
    }
    Ok(response)
}
