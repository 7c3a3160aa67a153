//! Texts and numbers.

use super::{Check, Place, limit};
use crate::crd::format;
use k8s::status::{FieldError, FieldErrorKind};
use serde_json::{Number, Value};

impl Check<'_> {
    pub(super) fn text(&mut self, schema: &Value, place: &Place, text: &str) {
        let value = Value::from(text);
        let length = text.chars().count();
        if let Some(max) = limit(schema, "maxLength").filter(|max| length > *max) {
            self.errors.push(FieldError {
                kind: FieldErrorKind::TooLong,
                field: place.path.clone(),
                value: String::new(),
                detail: format!("may not be more than {max} bytes"),
            });
        }
        if let Some(min) = limit(schema, "minLength").filter(|min| length < *min) {
            let words = format!("should be at least {min} chars long");
            self.breaks(place, &value, &words);
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && !self.patterns.matches(pattern, text)
        {
            let words = format!("should match '{pattern}'");
            self.breaks(place, &value, &words);
        }
        if let Some(wanted) = schema["format"].as_str()
            && !format::is_good(wanted, text)
        {
            let words = format!("must be of type {wanted}: {text:?}");
            self.breaks(place, &value, &words);
        }
    }

    pub(super) fn number(&mut self, schema: &Value, place: &Place, number: &Number) {
        let value = Value::Number(number.clone());
        let Some(float) = number.as_f64() else {
            return;
        };
        if let Some(max) = schema["maximum"].as_f64() {
            let exclusive = schema["exclusiveMaximum"] == true;
            if float > max || (exclusive && float >= max) {
                let or_equal = if exclusive { "" } else { " or equal to" };
                let words = format!("should be less than{or_equal} {max}");
                self.breaks(place, &value, &words);
            }
        }
        if let Some(min) = schema["minimum"].as_f64() {
            let exclusive = schema["exclusiveMinimum"] == true;
            if float < min || (exclusive && float <= min) {
                let or_equal = if exclusive { "" } else { " or equal to" };
                let words = format!("should be greater than{or_equal} {min}");
                self.breaks(place, &value, &words);
            }
        }
        if let Some(factor) = schema["multipleOf"].as_f64().filter(|factor| *factor > 0.0) {
            let quotient = float / factor;
            if quotient.fract() != 0.0 {
                self.breaks(place, &value, &format!("should be a multiple of {factor}"));
            }
        }
        if schema["format"] == "int32" && number.as_i64().is_none_or(|n| i32::try_from(n).is_err())
        {
            let words = format!("must be of type int32: {:?}", number.to_string());
            self.breaks(place, &value, &words);
        }
    }
}
