//! Which form of an answer a client accepts.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/negotiation.

use http::HeaderMap;
use http::header::ACCEPT;
use k8s::status::ApiError;

/// One entry of an `Accept` header.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) media: String,
    params: Vec<(String, String)>,
}

impl Accepted {
    /// A parameter of the entry.
    pub(crate) fn param(&self, key: &str) -> &str {
        let found = self.params.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value)
    }

    /// Whether JSON satisfies the entry.
    fn json(&self) -> bool {
        matches!(
            self.media.as_str(),
            "application/json" | "application/*" | "*/*"
        )
    }
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object itself.
    Object,
    /// Only its metadata.
    Metadata,
    /// A table, in this version of meta.k8s.io.
    Table(&'static str),
}

/// The entries of the `Accept` headers that JSON satisfies, best first.
pub(crate) fn accepted(headers: &HeaderMap) -> Result<Vec<Accepted>, ApiError> {
    let values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut all: Vec<(u32, Accepted)> = values
        .flat_map(|value| value.split(','))
        .filter(|entry| !entry.trim().is_empty())
        .map(entry)
        .collect();
    if all.is_empty() {
        return Ok(vec![Accepted {
            media: "*/*".to_owned(),
            params: Vec::new(),
        }]);
    }
    all.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    let json: Vec<Accepted> = all
        .into_iter()
        .map(|(_, entry)| entry)
        .filter(Accepted::json)
        .collect();
    if json.is_empty() {
        return Err(ApiError::not_acceptable("application/json"));
    }
    Ok(json)
}

fn entry(text: &str) -> (u32, Accepted) {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or("").to_ascii_lowercase();
    let split = |part: &str| {
        part.split_once('=')
            .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
    };
    let params: Vec<(String, String)> = parts.filter_map(split).collect();
    let quality = params
        .iter()
        .find(|(key, _)| key == "q")
        .and_then(|(_, q)| q.parse().ok());
    let thousandths = (quality.unwrap_or(1.0_f64) * 1000.0).clamp(0.0, 1000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped above"
    )]
    let quality = thousandths as u32;
    (quality, Accepted { media, params })
}

/// The best form that an answer about a resource may have.
pub(crate) fn form(headers: &HeaderMap) -> Result<Form, ApiError> {
    for entry in accepted(headers)? {
        let form = match (entry.param("as"), entry.param("g"), entry.param("v")) {
            ("", ..) => Form::Object,
            ("Table", "meta.k8s.io", "v1") => Form::Table("v1"),
            ("Table", "meta.k8s.io", "v1beta1") => Form::Table("v1beta1"),
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => {
                Form::Metadata
            }
            _ => continue,
        };
        return Ok(form);
    }
    Err(ApiError::not_acceptable("application/json"))
}

#[cfg(test)]
mod tests;
