//! `metav1.Status`: the errors a Kubernetes API answers with, in upstream's words.
//!
//! Upstream: apimachinery/pkg/api/errors/errors.go and util/validation/field/errors.go (v1.36).

use serde_json::{Value, json};
use std::fmt;

/// An API error: the HTTP code and everything a `Status` object says.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, such as `NotFound`.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// The `details` object, if any.
    pub details: Option<Value>,
}

impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A resource as error texts name it: `deployments.apps`, or `pods` in the core group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupResource<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// Plural, lower-case resource name.
    pub resource: &'a str,
}

impl fmt::Display for GroupResource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(self.resource)
        } else {
            write!(f, "{}.{}", self.resource, self.group)
        }
    }
}

impl GroupResource<'_> {
    fn details(&self, name: &str) -> Value {
        let mut details = json!({"name": name, "kind": self.resource});
        if !self.group.is_empty() {
            details["group"] = self.group.into();
        }
        details
    }
}

impl ApiError {
    /// The `Status` object to serve.
    pub fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }

    fn plain(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    /// 404 for an object. Upstream: NewNotFound.
    pub fn not_found(of: GroupResource<'_>, name: &str) -> Self {
        Self {
            details: Some(of.details(name)),
            ..Self::plain(404, "NotFound", format!("{of} \"{name}\" not found"))
        }
    }

    /// 404 for a path or resource that is not served. Upstream: NewGenericServerResponse (404).
    pub fn path_not_found() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::plain(
                404,
                "NotFound",
                "the server could not find the requested resource",
            )
        }
    }

    /// 409 on create. Upstream: NewAlreadyExists.
    pub fn already_exists(of: GroupResource<'_>, name: &str) -> Self {
        Self {
            details: Some(of.details(name)),
            ..Self::plain(
                409,
                "AlreadyExists",
                format!("{of} \"{name}\" already exists"),
            )
        }
    }

    /// 409 on update. Upstream: NewConflict.
    pub fn conflict(of: GroupResource<'_>, name: &str, why: &str) -> Self {
        Self {
            details: Some(of.details(name)),
            ..Self::plain(
                409,
                "Conflict",
                format!("Operation cannot be fulfilled on {of} \"{name}\": {why}"),
            )
        }
    }

    /// 409 with upstream's text for a stale resource version.
    pub fn stale(of: GroupResource<'_>, name: &str) -> Self {
        Self::conflict(
            of,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 403. Upstream: NewForbidden; `why` is the authorizer's or admission's sentence.
    pub fn forbidden(of: GroupResource<'_>, name: &str, why: &str) -> Self {
        let message = if of.resource.is_empty() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{of} is forbidden: {why}")
        } else {
            format!("{of} \"{name}\" is forbidden: {why}")
        };
        Self {
            details: Some(of.details(name)),
            ..Self::plain(403, "Forbidden", message)
        }
    }

    /// 401. Upstream: NewUnauthorized.
    pub fn unauthorized() -> Self {
        Self::plain(401, "Unauthorized", "Unauthorized")
    }

    /// 400. Upstream: NewBadRequest.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::plain(400, "BadRequest", message)
    }

    /// 405. Upstream: NewMethodNotSupported.
    pub fn method_not_supported(of: GroupResource<'_>, verb: &str) -> Self {
        Self {
            details: Some(of.details("")),
            ..Self::plain(
                405,
                "MethodNotAllowed",
                format!("{verb} is not supported on resources of kind \"{of}\""),
            )
        }
    }

    /// 405 for a verb that a path does not have. Upstream: NewGenericServerResponse (405).
    pub fn method_not_allowed() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::plain(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        }
    }

    /// 406. Upstream: negotiation errors.
    pub fn not_acceptable(accepted: &str) -> Self {
        Self::plain(
            406,
            "NotAcceptable",
            format!("only the following media types are accepted: {accepted}"),
        )
    }

    /// 415. Upstream: negotiation errors.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        Self::plain(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    /// 410: a watch or a continue token is too old. Upstream: NewResourceExpired.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::plain(410, "Expired", message)
    }

    /// 413. Upstream: NewRequestEntityTooLargeError.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::plain(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: {}", message.into()),
        )
    }

    /// 429.
    pub fn too_many_requests(message: impl Into<String>) -> Self {
        Self::plain(429, "TooManyRequests", message)
    }

    /// 500. Upstream: NewInternalError.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self {
            details: Some(json!({"causes": [{"message": message.to_string()}]})),
            ..Self::plain(
                500,
                "InternalError",
                format!("Internal error occurred: {message}"),
            )
        }
    }

    /// 503. Upstream: NewServiceUnavailable.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::plain(503, "ServiceUnavailable", message)
    }

    /// 504. Upstream: NewTimeoutError.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::plain(504, "Timeout", message)
    }

    /// 422. Upstream: NewInvalid. `kind` is the object's kind, `group` its API group.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let texts: Vec<String> = errors.iter().map(FieldError::to_string).collect();
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes: Vec<Value> = errors
            .iter()
            .map(|e| json!({"reason": e.kind.reason(), "message": e.body(), "field": e.field}))
            .collect();
        let mut details = json!({"name": name, "kind": kind, "causes": causes});
        if !group.is_empty() {
            details["group"] = group.into();
        }
        Self {
            details: Some(details),
            ..Self::plain(
                422,
                "Invalid",
                format!("{qualified} \"{name}\" is invalid: {list}"),
            )
        }
    }
}

/// What is wrong with a field. Upstream: field.ErrorType.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// A value is missing.
    Required,
    /// A value breaks a rule.
    Invalid,
    /// A value is outside an enumeration.
    NotSupported,
    /// A value may not be there.
    Forbidden,
    /// A value occurs twice.
    Duplicate,
    /// A named thing does not exist.
    NotFound,
    /// A value is too long.
    TooLong,
    /// There are too many.
    TooMany,
    /// The value's type is wrong.
    TypeInvalid,
}

impl FieldErrorKind {
    fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

/// One problem of one field; `Display` gives upstream's text.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// Which rule.
    pub kind: FieldErrorKind,
    /// The path: `spec.metrics[0].type`.
    pub field: String,
    /// The value as upstream prints it (`"text"`, `5`, `{"a":"b"}`); empty where upstream prints none.
    pub value: String,
    /// What to know beyond the kind; may be empty.
    pub detail: String,
}

impl FieldError {
    /// The text without the field's name.
    pub fn body(&self) -> String {
        let words = self.kind.words();
        let with_value = match self.kind {
            FieldErrorKind::Required
            | FieldErrorKind::Forbidden
            | FieldErrorKind::TooLong
            | FieldErrorKind::TooMany => words.to_owned(),
            _ => format!("{words}: {}", self.value),
        };
        if self.detail.is_empty() {
            with_value
        } else {
            format!("{with_value}: {}", self.detail)
        }
    }

    /// A missing value.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Required,
            field: field.into(),
            value: String::new(),
            detail: detail.into(),
        }
    }

    /// A value that may not be there.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Forbidden,
            field: field.into(),
            value: String::new(),
            detail: detail.into(),
        }
    }

    /// A value that breaks a rule; the value prints as JSON, as upstream does for strings and numbers.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Invalid,
            field: field.into(),
            value: value.to_string(),
            detail: detail.into(),
        }
    }

    /// A value that is there twice.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            kind: FieldErrorKind::Duplicate,
            field: field.into(),
            value: value.to_string(),
            detail: String::new(),
        }
    }

    /// A value outside an enumeration; `supported` in upstream's order (sorted).
    pub fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let list: Vec<String> = supported.iter().map(|s| format!("\"{s}\"")).collect();
        Self {
            kind: FieldErrorKind::NotSupported,
            field: field.into(),
            value: value.to_string(),
            detail: format!("supported values: {}", list.join(", ")),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}
