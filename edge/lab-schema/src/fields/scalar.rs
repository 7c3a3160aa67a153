//! Single values: what Go's types accept, and how they come out again.

use super::json_word;
use crate::schema::Scalar;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use units::Quantity;

/// What to do with a value.
pub(super) enum Verdict {
    /// It is as it should be.
    Keep,
    /// It comes out of Go like this.
    Become(Value),
    /// Its JSON type is wrong.
    Mismatch,
    /// The type's own parser refuses it, with these words.
    Malformed(String),
}

/// Upstream: encoding/json's decoding into each type.
pub(super) fn accept(scalar: Scalar, value: &Value) -> Verdict {
    match (scalar, value) {
        (Scalar::Any, _)
        | (Scalar::String, Value::String(_))
        | (Scalar::Bool, Value::Bool(_))
        | (Scalar::Float, Value::Number(_))
        | (Scalar::IntOrString, Value::String(_)) => Verdict::Keep,
        (Scalar::Int64, Value::Number(n)) if n.is_i64() => Verdict::Keep,
        (Scalar::Int32, Value::Number(n)) if fits_i32(n) => Verdict::Keep,
        (Scalar::IntOrString, Value::Number(n)) if fits_i32(n) => Verdict::Keep,
        (Scalar::Bytes, Value::String(text)) => bytes(text),
        (Scalar::Quantity, _) => quantity(value),
        (Scalar::Time | Scalar::MicroTime, Value::String(text)) => time(scalar, text),
        (Scalar::Time | Scalar::MicroTime, _) => own_mismatch(value, "string"),
        (Scalar::IntOrString, _) => own_mismatch(value, "int32"),
        _ => Verdict::Mismatch,
    }
}

fn fits_i32(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
}

/// A type with its own UnmarshalJSON does not know in which field it is.
fn own_mismatch(value: &Value, wanted: &str) -> Verdict {
    let got = match value {
        Value::Number(number) if wanted == "int32" => format!("number {number}"),
        other => json_word(other).to_owned(),
    };
    Verdict::Malformed(format!(
        "json: cannot unmarshal {got} into Go value of type {wanted}"
    ))
}

/// Upstream: Quantity.UnmarshalJSON.
fn quantity(value: &Value) -> Verdict {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    match text.parse::<Quantity>() {
        Err(error) => Verdict::Malformed(error.to_string()),
        Ok(quantity) => {
            let canonical = quantity.to_string();
            if value.as_str() == Some(canonical.as_str()) {
                Verdict::Keep
            } else {
                Verdict::Become(canonical.into())
            }
        }
    }
}

/// Go ignores line breaks in base64, and writes it without.
fn bytes(text: &str) -> Verdict {
    let has_breaks = text.contains(['\n', '\r']);
    let joined = if has_breaks {
        text.replace(['\n', '\r'], "")
    } else {
        String::new()
    };
    let compact = if has_breaks { joined.as_str() } else { text };
    match STANDARD.decode(compact) {
        Ok(_) if has_breaks => Verdict::Become(joined.into()),
        Ok(_) => Verdict::Keep,
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _)
                | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                base64::DecodeError::InvalidLength(at) => at / 4 * 4,
                base64::DecodeError::InvalidPadding => compact.len(),
            };
            Verdict::Malformed(format!("illegal base64 data at input byte {at}"))
        }
    }
}

/// Upstream: Time.UnmarshalJSON and MarshalJSON: whole seconds in UTC; MicroTime: six digits.
fn time(scalar: Scalar, text: &str) -> Verdict {
    let Ok(time) = text.parse::<jiff::Timestamp>() else {
        return Verdict::Malformed(format!(
            "parsing time {} as \"2006-01-02T15:04:05Z07:00\": cannot parse {} as \"2006\"",
            k8s::quote::quoted(text),
            k8s::quote::quoted(text)
        ));
    };
    let canonical = match scalar {
        Scalar::MicroTime => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        _ => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    if text == canonical {
        Verdict::Keep
    } else {
        Verdict::Become(canonical.into())
    }
}

/// The Go type's name.
pub(super) fn go_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "string",
        Scalar::Bytes => "[]uint8",
        Scalar::Bool => "bool",
        Scalar::Int32 => "int32",
        Scalar::Int64 => "int64",
        Scalar::Float => "float64",
        Scalar::Time => "v1.Time",
        Scalar::MicroTime => "v1.MicroTime",
        Scalar::Quantity => "resource.Quantity",
        Scalar::IntOrString => "intstr.IntOrString",
        Scalar::Any => "interface {}",
    }
}
