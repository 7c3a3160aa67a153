//! Which form the client wants: `Accept`, as Kubernetes extends it.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/negotiation (v1.36).

use http::HeaderMap;
use http::header::ACCEPT;
use k8s::status::ApiError;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The objects themselves.
    Objects,
    /// Rows for people; `meta.k8s.io` in this version.
    Table(&'static str),
    /// Metadata only; `meta.k8s.io` in this version.
    Metadata(&'static str),
}

/// How it is written. JSON is YAML, so both have the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Yaml,
}

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// The first form that the client accepts and we have.
pub(super) fn form(headers: &HeaderMap) -> Result<(Form, Media), ApiError> {
    let mut accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let Some(first) = accepted.next() else {
        return Ok((Form::Objects, Media::Json));
    };
    std::iter::once(first)
        .chain(accepted)
        .flat_map(|value| value.split(','))
        .find_map(clause)
        .ok_or_else(|| ApiError::not_acceptable("application/json, application/yaml"))
}

fn clause(text: &str) -> Option<(Form, Media)> {
    let mut parts = text.split(';').map(str::trim);
    let media = match parts.next()? {
        "application/json" | "application/*" | "*/*" => Media::Json,
        "application/yaml" => Media::Yaml,
        _ => return None,
    };
    let (mut kind, mut group, mut version) = ("", "", "");
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        match key.trim() {
            "as" => kind = value.trim(),
            "g" => group = value.trim(),
            "v" => version = value.trim(),
            _ => {}
        }
    }
    if kind.is_empty() {
        return Some((Form::Objects, media));
    }
    let version = match (group, version) {
        ("meta.k8s.io", "v1") => "meta.k8s.io/v1",
        ("meta.k8s.io", "v1beta1") => "meta.k8s.io/v1beta1",
        _ => return None,
    };
    match kind {
        "Table" => Some((Form::Table(version), media)),
        "PartialObjectMetadata" | "PartialObjectMetadataList" => {
            Some((Form::Metadata(version), media))
        }
        _ => None,
    }
}
