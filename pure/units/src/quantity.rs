//! Kubernetes' `resource.Quantity`: `250m`, `64Mi`, `1e3`, read and printed exactly as the API server does.
//!
//! Upstream: apimachinery/pkg/api/resource (v1.36): quantity.go, amount.go, suffix.go, math.go, scale_int.go.
//! Only what autoscaling needs: parse, print, sign, whole and milli values. No arithmetic on quantities:
//! the HPA controller turns them into milli-units first.

mod parse;
mod print;
mod scale;

use crate::digits::Digits;
use std::fmt;
use std::str::FromStr;

/// How a quantity prints. Upstream: resource.Format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `12e6`
    DecimalExponent,
    /// `12Mi`
    BinarySi,
    /// `12M`
    DecimalSi,
}

/// A fixed-point number and how it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text it was read from, where upstream keeps that text although it is not canonical (`1.500`).
    written: Option<Box<str>>,
}

/// The number. Upstream: int64Amount and infDecAmount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Amount {
    /// `value × 10^scale`
    Small { value: i64, scale: i32 },
    /// `digits × 10^-decimals`; nine decimals, or none where the number was cut to the largest allowed.
    Big { digits: Digits, decimals: i32 },
}

/// A text that is no quantity; `Display` gives upstream's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityError {
    /// Upstream: ErrFormatWrong.
    Format,
    /// Upstream: ErrNumeric.
    Numeric,
    /// Upstream: ErrSuffix.
    Suffix,
}

impl std::error::Error for QuantityError {}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Numeric => "unable to parse numeric part of quantity",
            Self::Suffix => "unable to parse quantity's suffix",
        })
    }
}

const MILLI: i32 = -3;

impl Quantity {
    /// Upstream: NewQuantity.
    pub const fn from_whole(value: i64, format: Format) -> Self {
        Self {
            amount: Amount::Small { value, scale: 0 },
            format,
            written: None,
        }
    }

    /// Upstream: NewMilliQuantity.
    pub const fn from_milli(value: i64, format: Format) -> Self {
        Self {
            amount: Amount::Small {
                value,
                scale: MILLI,
            },
            format,
            written: None,
        }
    }

    /// Upstream: NewScaledQuantity with scale Nano.
    pub const fn from_nano(value: i64, format: Format) -> Self {
        Self {
            amount: Amount::Small { value, scale: -9 },
            format,
            written: None,
        }
    }

    /// How it prints.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        match &self.amount {
            Amount::Small { value, .. } => value.signum() as i32,
            Amount::Big { digits, .. } if digits.is_zero() => 0,
            Amount::Big { digits, .. } if digits.is_negative() => -1,
            Amount::Big { .. } => 1,
        }
    }

    /// In units, rounded away from zero; 0 or wrapped when that does not fit, as upstream. Upstream: Value.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// In thousandths, rounded away from zero; 0 or wrapped when that does not fit, as upstream. Upstream: MilliValue.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// In billionths, rounded away from zero; 0 or wrapped when that does not fit, as upstream. Upstream: ScaledValue(Nano).
    pub fn nano_value(&self) -> i64 {
        self.scaled_value(-9)
    }

    fn scaled_value(&self, to: i32) -> i64 {
        match &self.amount {
            Amount::Small { value, scale } if *scale < to => {
                scale::down(*value, to.saturating_sub(*scale)).0
            }
            Amount::Small { value, scale } => {
                scale::up_as_upstream(*value, scale.saturating_sub(to))
            }
            Amount::Big { digits, decimals } => scale::big(digits, decimals + to),
        }
    }

    /// The nearest float, computed in upstream's steps. Upstream: AsApproximateFloat64.
    pub fn approximate_f64(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            Amount::Small { value, scale } => (*value as f64, *scale),
            Amount::Big { digits, decimals } => (digits.to_f64(), -decimals),
        };
        if exponent == 0 {
            base
        } else {
            base * scale::pow10(exponent)
        }
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse::quantity(text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Some(text) => f.write_str(text),
            None => print::canonical(self, f),
        }
    }
}

#[cfg(test)]
mod tests;
