//! OpenAPI documents, with what clients and the aggregator need to keep them: entity tags, and a hash in the
//! address that version 3's index gives. What the documents say is in `openapi/`: upstream's structure, told in
//! our words where something is worth a word.
//!
//! Upstream: kube-openapi/pkg/{handler,handler3}/handler.go. Differs from upstream: no protocol buffers. The
//! aggregator asks for JSON only (kube-aggregator/pkg/controllers/openapi/aggregator/downloader.go, v1.36). And no
//! ranges of bytes, and no time of modification, which tags make needless.

use super::negotiate::{self, Media};
use super::{Reply, bare, encode, plain, query};
use crate::version::version;
use http::header::{
    CACHE_CONTROL, ETAG, EXPIRES, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, VARY,
};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::fmt::Write;
use std::sync::LazyLock;

/// Version 3's, by what follows `/openapi/v3/`.
static V3: LazyLock<[(&str, Document); 4]> = LazyLock::new(|| {
    [
        ("apis", Document::new(include_str!("openapi/apis.json"))),
        (
            "apis/metrics.k8s.io",
            Document::new(include_str!("openapi/group.json")),
        ),
        (
            "apis/metrics.k8s.io/v1beta1",
            Document::new(include_str!("openapi/v1beta1.json")),
        ),
        (
            "version",
            Document::new(include_str!("openapi/version.json")),
        ),
    ]
});
static V2: LazyLock<Document> = LazyLock::new(|| Document::new(include_str!("openapi/v2.json")));
static INDEX: LazyLock<Document> = LazyLock::new(|| Document::of(index()));

/// How long a document may be kept whose address has its hash: for ever, as far as HTTP knows that.
const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(365 * 24);

/// A text and its hash.
struct Document {
    text: String,
    hash: String,
}

impl Document {
    /// As it is in its file, but without blanks, and with our version.
    fn new(file: &str) -> Self {
        let text = String::from_utf8(encode::compact(file.as_bytes())).unwrap_or_default();
        Self::of(text.replace("{version}", version()))
    }

    fn of(text: String) -> Self {
        let hash = digest(&text);
        Self { text, hash }
    }
}

/// Answers `path` if it is a document's, whatever the method, as upstream.
pub(super) fn answer(path: &str, head: &Parts, now: jiff::Timestamp) -> Option<Reply> {
    match path.strip_prefix("/openapi/")? {
        "v2" => Some(v2(head)),
        "v3" => Some(served(head, &INDEX)),
        path => Some(v3(path.strip_prefix("v3/")?, head, now)),
    }
}

fn index() -> String {
    let paths = V3.iter().map(|(path, document)| {
        let address = address(path, document);
        (
            (*path).to_owned(),
            serde_json::json!({"serverRelativeURL": address}),
        )
    });
    let paths: serde_json::Map<_, _> = paths.collect();
    serde_json::json!({"paths": paths}).to_string()
}

fn address(path: &str, document: &Document) -> String {
    format!("/openapi/v3/{path}?hash={}", document.hash)
}

/// Compressed for who can read that. Upstream: gziphandler, which counts 1,400 bytes as worth it.
fn v2(head: &Parts) -> Reply {
    let vary = HeaderValue::from_static("Accept-Encoding");
    if !negotiate::json(head) {
        let mut refused = refused();
        refused.headers_mut().append(VARY, vary);
        return refused;
    }
    let mut answer = encode::gzipped(head, served(head, &V2));
    answer
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept"));
    answer.headers_mut().append(VARY, vary);
    answer
}

/// A client that gives the hash may keep what it gets; one with an old hash is sent to the new one.
fn v3(path: &str, head: &Parts, now: jiff::Timestamp) -> Reply {
    let Some((path, document)) = V3.iter().find(|(known, _)| *known == path) else {
        // Upstream says just this of documents that there are not.
        return bare(StatusCode::OK);
    };
    if !negotiate::json(head) {
        return refused();
    }
    let hash = query::value(head.uri.query().unwrap_or_default(), "hash");
    let hash = hash.filter(|hash| !hash.is_empty());
    let mut answer = match &hash {
        Some(hash) if *hash != document.hash => moved(&address(path, document)),
        _ => served(head, document),
    };
    let headers = answer.headers_mut();
    put(headers, ETAG, &format!("\"{}\"", document.hash));
    headers.append(VARY, HeaderValue::from_static("Accept"));
    if hash.is_some_and(|hash| *hash == document.hash) {
        let expires = (now + YEAR).strftime("%a, %d %b %Y %H:%M:%S GMT");
        put(headers, CACHE_CONTROL, "public, immutable");
        put(headers, EXPIRES, &expires.to_string());
    }
    answer
}

fn moved(address: &str) -> Reply {
    let mut moved = plain(
        StatusCode::MOVED_PERMANENTLY,
        Media::Json.content_type(),
        "",
    );
    put(moved.headers_mut(), LOCATION, address);
    moved
}

/// Without a word, as upstream.
fn refused() -> Reply {
    let mut refused = bare(StatusCode::NOT_ACCEPTABLE);
    let headers = refused.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Accept"));
    refused
}

fn served(head: &Parts, document: &Document) -> Reply {
    let tag = format!("\"{}\"", document.hash);
    let mut answer = if known(&head.headers, &tag) {
        bare(StatusCode::NOT_MODIFIED)
    } else {
        plain(
            StatusCode::OK,
            Media::Json.content_type(),
            document.text.clone(),
        )
    };
    put(answer.headers_mut(), ETAG, &tag);
    answer
}

/// Whether the client has it already.
pub(super) fn known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|one| one.trim())
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// SHA-512 in hexadecimal digits, as upstream makes tags.
pub(super) fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA512, text.as_bytes());
    let mut hex = String::with_capacity(128);
    for byte in digest.as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
