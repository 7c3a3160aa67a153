//! The parameters of a list or a watch, as far as they can be wrong.
//!
//! Upstream: apimachinery/pkg/apis/meta/internalversion/validation/validation.go and the conversions of
//! apimachinery/pkg/runtime/conversion.go (v1.36). Selectors are read where they are used.

use super::query;
use k8s::status::{ApiError, FieldError};
use serde_json::json;

const EXACT: &str = "Exact";
const NOT_OLDER: &str = "NotOlderThan";
const MATCH: &str = "resourceVersionMatch";
const INITIAL: &str = "sendInitialEvents";

/// Refuses what upstream refuses.
pub(super) fn check(query: &str, watch: bool) -> Result<(), ApiError> {
    numbers(query)?;
    let errors = match watch {
        true => watch_errors(query),
        false => list_errors(query),
    };
    match errors.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid("meta.k8s.io", "ListOptions", "", &errors)),
    }
}

/// Refuses numbers that are none.
pub(super) fn numbers(query: &str) -> Result<(), ApiError> {
    for name in ["timeoutSeconds", "limit"] {
        if let Some(text) = query::value(query, name) {
            parsed(&text)?;
        }
    }
    Ok(())
}

/// Go's strconv.ParseInt and its sentences.
fn parsed(text: &str) -> Result<i64, ApiError> {
    text.parse::<i64>().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let why = if whole {
            "value out of range"
        } else {
            "invalid syntax"
        };
        ApiError::bad_request(format!("strconv.ParseInt: parsing {text:?}: {why}"))
    })
}

fn given(query: &str, name: &str) -> Option<String> {
    let value = query::value(query, name).filter(|value| !value.is_empty());
    value.map(std::borrow::Cow::into_owned)
}

fn list_errors(query: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let version = given(query, "resourceVersion");
    if let Some(wanted) = given(query, MATCH) {
        if version.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            errors.push(FieldError::forbidden(MATCH, why));
        }
        errors.extend(with_continue(query));
        if ![EXACT, NOT_OLDER].contains(&wanted.as_str()) {
            let supported = [EXACT, NOT_OLDER, ""];
            errors.push(FieldError::not_supported(MATCH, &json!(wanted), &supported));
        }
        if wanted == EXACT && version.as_deref() == Some("0") {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            errors.push(FieldError::forbidden(MATCH, why));
        }
    }
    if query::value(query, INITIAL).is_some() {
        let why = "sendInitialEvents is forbidden for list";
        errors.push(FieldError::forbidden(INITIAL, why));
    }
    errors
}

fn watch_errors(query: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let wanted = given(query, MATCH);
    let initial = query::value(query, INITIAL).is_some();
    if initial && wanted.as_deref() != Some(NOT_OLDER) {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(FieldError::forbidden(MATCH, why));
    }
    if let Some(wanted) = wanted {
        if !initial {
            let why =
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            errors.push(FieldError::forbidden(MATCH, why));
        }
        if wanted != NOT_OLDER {
            errors.push(FieldError::not_supported(
                MATCH,
                &json!(wanted),
                &[NOT_OLDER],
            ));
        }
        errors.extend(with_continue(query));
    }
    errors
}

fn with_continue(query: &str) -> Option<FieldError> {
    let why = "resourceVersionMatch is forbidden when continue is provided";
    given(query, "continue").map(|_| FieldError::forbidden(MATCH, why))
}
