//! get and list.

use crate::body::{JSON, Reply, pieces, typed};
use crate::call::Call;
use crate::filter::Filter;
use crate::negotiate::Form;
use crate::{body, kinds, render};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use k8s::status::ApiError;
use objects::{ListQuery, Page};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::backend::Payload;

/// Answers a get.
pub(crate) fn get(call: &Call) -> Reply {
    let stored = call.current()?;
    newer_than_now(call)?;
    call.answer(StatusCode::OK, &stored)
}

/// Answers a list.
pub(crate) fn list(call: &Call) -> Reply {
    let filter = Filter::of(call)?;
    let page = page(call, &filter)?;
    let metadata = list_metadata(call, &filter, &page);
    if let Form::Table(version) = call.form {
        let mut rows = Vec::with_capacity(page.items.len());
        for item in &page.items {
            let value = kinds::to_version(&call.resource, item.payload.value())?;
            rows.push(render::row(call, &value));
        }
        let table = render::table(call, version, metadata, rows, true);
        return Ok(body::json(StatusCode::OK, &table));
    }
    let (kind, version) = match call.form {
        Form::Object => (
            format!("{}List", call.resource.kind),
            call.resource.api_version(),
        ),
        _ => (
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        ),
    };
    let head =
        format!(r#"{{"kind":"{kind}","apiVersion":"{version}","metadata":{metadata},"items":["#);
    let (resource, form) = (call.resource.clone(), call.form);
    let items = page.items.into_iter();
    let items = items.filter_map(move |item| render::item(&resource, form, &item.payload));
    Ok(typed(StatusCode::OK, JSON, pieces(head, items, "]}")))
}

/// A position in a list that goes on.
#[derive(Debug, Serialize, Deserialize)]
struct Continue {
    #[serde(rename = "rv")]
    revision: u64,
    #[serde(rename = "start")]
    after: String,
}

fn page(call: &Call, filter: &Filter) -> Result<Page<Payload>, ApiError> {
    let limit = call.query.number("limit").filter(|limit| *limit > 0);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let token = call.query.get("continue").map(decode).transpose()?;
    if token.is_some()
        && call
            .query
            .get("resourceVersion")
            .is_some_and(|version| version != "0")
    {
        return Err(ApiError::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    let at = match &token {
        Some(token) => Some(token.revision),
        None => exact_revision(call)?,
    };
    newer_than_now(call)?;
    let query = ListQuery {
        collection: &call.resource.collection,
        prefix: &filter.prefix,
        after: token.as_ref().map(|token| token.after.as_str()),
        at,
    };
    let trivial = filter.is_trivial();
    let keep = |stored: &Payload| trivial || filter.matches(stored);
    call.inner.backend.list(query, limit, keep).map_err(|_| {
        ApiError::expired(match token {
            Some(_) => "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
            None => "The resourceVersion for the provided list is too old.",
        })
    })
}

fn list_metadata(call: &Call, filter: &Filter, page: &Page<Payload>) -> Value {
    let mut metadata = json!({"resourceVersion": page.revision.to_string()});
    if let (Some(last), true) = (page.items.last(), page.remaining > 0) {
        let token = Continue {
            revision: page.revision,
            after: last.key.to_string(),
        };
        let token = serde_json::to_vec(&token).unwrap_or_default();
        metadata["continue"] = URL_SAFE_NO_PAD.encode(token).into();
        if filter.is_trivial() && call.query.get("labelSelector").is_none() {
            metadata["remainingItemCount"] = page.remaining.into();
        }
    }
    metadata
}

fn decode(token: &str) -> Result<Continue, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let parsed = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    parsed.ok_or_else(|| ApiError::bad_request("continue key is not valid"))
}

/// The revision that a list must show exactly.
fn exact_revision(call: &Call) -> Result<Option<u64>, ApiError> {
    let version = call.query.get("resourceVersion");
    match (call.query.get("resourceVersionMatch"), version) {
        (Some(_), None) => Err(ApiError::bad_request(
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        )),
        (Some("Exact"), Some("0")) => Err(ApiError::bad_request(
            "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
        )),
        (Some("Exact"), Some(version)) => parse_version(version).map(Some),
        _ => Ok(None),
    }
}

/// A resource version from a query.
pub(crate) fn parse_version(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::bad_request(format!(
            "invalid resource version {text:?}: it must be a number"
        ))
    })
}

/// A version that has not happened yet cannot be shown. Upstream: storage.NewTooLargeResourceVersionError.
fn newer_than_now(call: &Call) -> Result<(), ApiError> {
    let Some(version) = call.query.get("resourceVersion") else {
        return Ok(());
    };
    let wanted = parse_version(version)?;
    let current = call.inner.backend.read().store.revision();
    if wanted <= current {
        return Ok(());
    }
    let mut error = ApiError::timeout(format!(
        "Too large resource version: {wanted}, current: {current}"
    ));
    error.details = Some(json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }));
    Err(error)
}

/// Every object of a collection that a filter matches, and the revision that shows.
pub(crate) fn all_at(call: &Call, filter: &Filter) -> Result<(Vec<Payload>, u64), ApiError> {
    let query = ListQuery {
        collection: &call.resource.collection,
        prefix: &filter.prefix,
        after: None,
        at: None,
    };
    let page = call
        .inner
        .backend
        .list(query, None, |stored| filter.matches(stored));
    let page = page.map_err(|_| ApiError::internal("the present is always remembered"))?;
    Ok((
        page.items.into_iter().map(|item| item.payload).collect(),
        page.revision,
    ))
}

#[cfg(test)]
mod tests;
