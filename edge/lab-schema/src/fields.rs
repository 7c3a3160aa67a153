//! Fields: what a Go API server finds when it decodes an object, and what it would keep of it.
//!
//! Upstream: sigs.k8s.io/json (decode.go, kubernetes_patch.go) and apiserver/pkg/endpoints/handlers (v1.36).

mod decode;
mod duplicates;
mod empty;
mod scalar;
#[cfg(test)]
mod tests;

pub use decode::{Decoded, decode, decode_patched};
pub use duplicates::duplicates;
pub use empty::drop_empty;

use crate::{TypeRef, go};
use k8s::status::{ApiError, FieldError, FieldErrorKind};
use serde_json::Value;

/// Upstream reports at most so many strict errors.
const MAX_PROBLEMS: usize = 100;

/// The `fieldValidation` parameter of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validation {
    /// Unknown and duplicate fields are dropped without a word.
    Ignore,
    /// They are dropped with a warning; what upstream does by default.
    #[default]
    Warn,
    /// They are an error.
    Strict,
}

impl Validation {
    /// The parameter's value. Upstream: the validation of CreateOptions.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(Self::Warn),
            "Ignore" => Some(Self::Ignore),
            "Strict" => Some(Self::Strict),
            _ => None,
        }
    }

    /// What to do about problems: the warnings to send, or the strict decoding error's text.
    fn judge(self, mut problems: Vec<String>) -> Result<Vec<String>, String> {
        problems.truncate(MAX_PROBLEMS);
        match self {
            Self::Strict if !problems.is_empty() => {
                Err(format!("strict decoding error: {}", problems.join(", ")))
            }
            Self::Strict | Self::Ignore => Ok(Vec::new()),
            Self::Warn => Ok(problems),
        }
    }
}

/// Decodes the body of a create or update: checks it, brings it to the form that Go would keep, and returns warnings.
///
/// `raw` is the body, for finding duplicate fields (none where it was not JSON).
pub fn check(
    of: TypeRef<'_>,
    raw: Option<&[u8]>,
    validation: Validation,
    object: &mut Value,
) -> Result<Vec<String>, ApiError> {
    let (version, kind) = {
        let text = |field: &str| {
            object
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let version = text("apiVersion")
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        (version, text("kind").to_owned())
    };
    // Upstream: transformDecodeError.
    let refuse = |text: String| {
        ApiError::bad_request(format!(
            "{kind} in version {} cannot be handled as a {kind}: {text}",
            k8s::quote::quoted(&version)
        ))
    };
    let decoded = decode(of, object).map_err(refuse)?;
    if validation == Validation::Ignore {
        return Ok(Vec::new());
    }
    let mut problems = raw.map_or_else(Vec::new, duplicates);
    problems.extend(decoded.unknown);
    validation.judge(problems).map_err(refuse)
}

/// How a patch was applied: the texts differ.
#[derive(Debug, Clone, Copy)]
pub enum Patched<'p> {
    /// JSON patch and merge patch.
    Json,
    /// Strategic merge patch, which shows the patch.
    Strategic(&'p Value),
}

/// Decodes an object that a patch made: as [`check`], with upstream's texts for patches (422).
pub fn check_patched(
    of: TypeRef<'_>,
    how: Patched<'_>,
    validation: Validation,
    object: &mut Value,
) -> Result<Vec<String>, ApiError> {
    let before = match how {
        Patched::Json => object.clone(),
        Patched::Strategic(_) => Value::Null,
    };
    let decoded = match how {
        Patched::Json => decode(of, object),
        Patched::Strategic(_) => decode_patched(of, object),
    };
    let judged = decoded.and_then(|decoded| validation.judge(decoded.unknown));
    judged.map_err(|detail| {
        let shown = match how {
            Patched::Json => before.to_string(),
            Patched::Strategic(patch) => go::print(patch),
        };
        let error = FieldError {
            kind: FieldErrorKind::Invalid,
            field: "patch".into(),
            value: k8s::quote::quoted(&shown),
            detail,
        };
        ApiError::invalid("", "", "", &[error])
    })
}

/// The JSON type of a value, as Go's error texts name it.
pub(crate) fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
