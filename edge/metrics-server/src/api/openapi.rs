//! OpenAPI documents, with what clients and the aggregator need to keep them: entity tags, and a hash in the
//! address that version 3's index gives.
//!
//! Upstream: kube-openapi/pkg/{handler,handler3}/handler.go. Differs from upstream: no protocol buffers. The
//! aggregator asks for JSON only (kube-aggregator/pkg/controllers/openapi/aggregator/downloader.go, v1.36).

use super::{Reply, encode, negotiate, query, reply, status};
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
    VARY,
};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::fmt::Write;

const GROUP: &str = "/openapi/v3/apis/metrics.k8s.io/v1beta1";
const V3: &str = include_str!("openapi_v3.json");
const V2: &str = include_str!("openapi_v2.json");
/// How long a document may be kept whose address has its hash: for ever, as far as HTTP knows that.
const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(365 * 24);

/// Answers `path` if it is a document's.
pub(super) fn answer(path: &str, head: &Parts, now: jiff::Timestamp) -> Option<Reply> {
    match path.trim_end_matches('/') {
        "/openapi/v2" => Some(document(head, V2.to_owned())),
        "/openapi/v3" => Some(document(head, index())),
        GROUP => Some(group(head, now)),
        _ => None,
    }
}

fn index() -> String {
    let path = GROUP.trim_start_matches("/openapi/v3/");
    let address = address();
    serde_json::json!({"paths": {path: {"serverRelativeURL": address}}}).to_string()
}

fn address() -> String {
    format!("{GROUP}?hash={}", digest(V3))
}

/// A client that gives the hash may keep what it gets; one with an old hash is sent to the new one.
fn group(head: &Parts, now: jiff::Timestamp) -> Reply {
    let hash = query::value(head.uri.query().unwrap_or_default(), "hash");
    let hash = hash.filter(|hash| !hash.is_empty());
    let mut answer = match &hash {
        Some(hash) if *hash != digest(V3) => {
            let mut moved = reply(StatusCode::MOVED_PERMANENTLY, "application/json", "");
            put(moved.headers_mut(), LOCATION, &address());
            return moved;
        }
        _ => document(head, V3.to_owned()),
    };
    if hash.is_some() && !answer.status().is_client_error() {
        let expires = (now + YEAR).strftime("%a, %d %b %Y %H:%M:%S GMT");
        let headers = answer.headers_mut();
        put(headers, CACHE_CONTROL, "public, immutable");
        put(headers, EXPIRES, &expires.to_string());
    }
    answer
}

fn document(head: &Parts, text: String) -> Reply {
    let agreed = match negotiate::document(head) {
        Ok(agreed) => agreed,
        Err(error) => return status::reply(head, &error),
    };
    let tag = format!("\"{}\"", digest(&text));
    let mut answer = if known(&head.headers, &tag) {
        let mut unchanged = reply(StatusCode::NOT_MODIFIED, "application/json", "");
        unchanged.headers_mut().remove(CONTENT_TYPE);
        unchanged
    } else {
        encode::reply(head, StatusCode::OK, agreed, text.into_bytes())
    };
    put(answer.headers_mut(), ETAG, &tag);
    answer
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept"));
    answer
}

/// Whether the client has it already.
fn known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|one| one.trim())
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA512, text.as_bytes());
    let mut hex = String::with_capacity(128);
    for byte in digest.as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
