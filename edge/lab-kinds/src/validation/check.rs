//! A list of problems, and the rules that many fields share.

use crate::json::{at, int};
use k8s::status::{FieldError, FieldErrorKind};
use serde_json::Value;

const NEGATIVE: &str = "must be greater than or equal to 0";
const IMMUTABLE: &str = "field is immutable";

/// The problems so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    /// The problems, each once. Upstream: ErrorList.ToAggregate.
    pub(super) fn done(self) -> Vec<FieldError> {
        let mut once: Vec<FieldError> = Vec::with_capacity(self.errors.len());
        for error in self.errors {
            if !once.contains(&error) {
                once.push(error);
            }
        }
        once
    }

    pub(super) fn extend(&mut self, errors: Vec<FieldError>) {
        self.errors.extend(errors);
    }

    pub(super) fn count(&self) -> usize {
        self.errors.len()
    }

    pub(super) fn required(&mut self, field: impl Into<String>, detail: &str) {
        self.errors.push(FieldError::required(field, detail));
    }

    pub(super) fn forbidden(&mut self, field: impl Into<String>, detail: &str) {
        self.errors.push(FieldError::forbidden(field, detail));
    }

    pub(super) fn invalid(
        &mut self,
        field: impl Into<String>,
        value: &Value,
        detail: impl Into<String>,
    ) {
        self.errors.push(FieldError::invalid(field, value, detail));
    }

    pub(super) fn invalid_text(
        &mut self,
        field: impl Into<String>,
        value: &str,
        detail: impl Into<String>,
    ) {
        self.invalid(field, &value.into(), detail);
    }

    pub(super) fn duplicate(&mut self, field: impl Into<String>, value: &Value) {
        self.errors.push(FieldError::duplicate(field, value));
    }

    pub(super) fn not_found(&mut self, field: impl Into<String>, value: &str) {
        self.errors.push(FieldError {
            kind: FieldErrorKind::NotFound,
            ..FieldError::invalid(field, &value.into(), "")
        });
    }

    pub(super) fn too_long(&mut self, field: impl Into<String>, limit: usize) {
        self.errors.push(FieldError {
            kind: FieldErrorKind::TooLong,
            value: String::new(),
            ..FieldError::invalid(
                field,
                &Value::Null,
                format!("may not be more than {limit} bytes"),
            )
        });
    }

    /// One problem a sentence.
    pub(super) fn sentences(&mut self, field: &str, value: &str, sentences: Vec<String>) {
        for sentence in sentences {
            self.invalid_text(field, value, sentence);
        }
    }

    /// A text that must be one of a few; absent reads as empty.
    pub(super) fn one_of(&mut self, field: impl Into<String>, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            self.errors
                .push(FieldError::not_supported(field, &value.into(), supported));
        }
    }

    /// As [`Self::one_of`], where an empty text is missing.
    pub(super) fn one_of_required(&mut self, field: String, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(field, "");
        } else {
            self.one_of(field, value, supported);
        }
    }

    /// A number that is not below zero, if it is there.
    pub(super) fn not_negative(&mut self, object: &Value, key: &str, path: &str) {
        if int(object, key).is_some_and(|number| number < 0) {
            self.invalid(format!("{path}.{key}"), at(object, key), NEGATIVE);
        }
    }

    /// A value that may not change.
    pub(super) fn immutable(&mut self, field: &str, old: &Value, new: &Value) {
        if old != new {
            self.invalid(field, new, IMMUTABLE);
        }
    }

    /// A port's number.
    pub(super) fn port_number(&mut self, field: impl Into<String>, value: &Value) {
        if !value
            .as_i64()
            .is_some_and(|port| (1..=65_535).contains(&port))
        {
            let value = if value.is_null() {
                &Value::from(0)
            } else {
                value
            };
            self.invalid(field, value, "must be between 1 and 65535, inclusive");
        }
    }

    /// A port's number or name.
    pub(super) fn port(&mut self, field: &str, value: &Value) {
        match value.as_str() {
            Some(name) => self.sentences(field, name, k8s::names::port_name_problems(name)),
            None => self.port_number(field, value),
        }
    }

    /// A name in DNS's form that must be there.
    pub(super) fn label_required(&mut self, field: &str, value: &str) {
        if value.is_empty() {
            self.required(field, "");
        } else {
            self.sentences(field, value, k8s::names::label_problems(value));
        }
    }

    /// A whole number or a percentage, not below zero.
    pub(super) fn int_or_percent(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(text) => {
                let digits = text.strip_suffix('%').unwrap_or_default();
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    let words = k8s::names::pattern(
                        "a valid percent string must be a numeric string followed by an ending '%'",
                        "[0-9]+%",
                        &["1%", "93%"],
                    );
                    self.invalid(field, value, words);
                }
            }
            Value::Number(number) if number.as_i64().is_some_and(|n| n < 0) => {
                self.invalid(field, value, NEGATIVE);
            }
            _ => {}
        }
    }

    /// A percentage of at most a hundred.
    pub(super) fn at_most_all(&mut self, field: &str, value: &Value) {
        if percent(value).is_some_and(|percent| percent > 100) {
            self.invalid(field, value, "must not be greater than 100%");
        }
    }
}

/// The number before the percent sign.
pub(super) fn percent(value: &Value) -> Option<i64> {
    value.as_str()?.strip_suffix('%')?.parse().ok()
}
