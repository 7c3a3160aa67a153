//! A span of time as Go has it: signed nanoseconds, read and written like `1m30s`.
//!
//! Upstream: Go's time.ParseDuration and Duration.String.

use std::fmt;
use std::str::FromStr;

/// Signed nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(i64);

/// A text that is no Go duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationError {
    /// Not of the form `1h2m3.5s`.
    Malformed,
    /// A number without a unit; only `0` may stand alone.
    MissingUnit,
    /// A unit that there is not: [`unknown_unit`] says which.
    UnknownUnit,
    /// More than 292 years.
    TooLong,
}

impl std::error::Error for DurationError {}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed | Self::UnknownUnit => {
                "not a duration; write it like 15s, 1m30s or 250ms"
            }
            Self::MissingUnit => "a duration needs a unit; write it like 15s, 1m30s or 250ms",
            Self::TooLong => "longer than 292 years",
        })
    }
}

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(i64::MAX);
    /// The longest span backwards.
    pub const MIN: Self = Self(i64::MIN);

    /// So many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// So many milliseconds, clamped.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(MILLISECOND))
    }

    /// So many seconds, clamped.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds, with their fraction.
    pub fn as_seconds_f64(self) -> f64 {
        // As Go's Duration.Seconds: whole seconds and the rest separately.
        (self.0 / SECOND) as f64 + (self.0 % SECOND) as f64 / 1e9
    }

    /// Whole seconds, the fraction dropped.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / SECOND
    }

    /// As the standard library's duration; negative spans become zero.
    pub const fn to_std(self) -> std::time::Duration {
        let nanos = if self.0 < 0 { 0 } else { self.0 };
        std::time::Duration::from_nanos(nanos as u64)
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(DurationError::Malformed);
        }
        let mut total: u64 = 0;
        let mut rest = rest;
        while !rest.is_empty() {
            let (nanos, after) = one_term(rest)?;
            total = total
                .checked_add(nanos)
                .filter(|sum| *sum <= 1 << 63)
                .ok_or(DurationError::TooLong)?;
            rest = after;
        }
        if negative {
            return Ok(Self(0_i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total)
            .map(Self)
            .map_err(|_| DurationError::TooLong)
    }
}

/// Reads one `12.5s` and gives its nanoseconds and what follows.
fn one_term(text: &str) -> Result<(u64, &str), DurationError> {
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole_len = digits(text);
    let (whole, rest) = text.split_at(whole_len);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => after.split_at(digits(after)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Malformed);
    }
    let unit_len = rest
        .bytes()
        .take_while(|b| *b != b'.' && !b.is_ascii_digit())
        .count();
    let (unit, rest) = rest.split_at(unit_len);
    let unit = unit_nanos(unit)?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| DurationError::TooLong)?
    };
    let nanos = whole
        .checked_mul(unit)
        .filter(|n| *n <= 1 << 63)
        .ok_or(DurationError::TooLong)?;
    let nanos = nanos + fraction_nanos(fraction, unit);
    if nanos > 1 << 63 {
        Err(DurationError::TooLong)
    } else {
        Ok((nanos, rest))
    }
}

/// The fraction's share of a unit, truncated. Go computes in float64 as well.
fn fraction_nanos(fraction: &str, unit: u64) -> u64 {
    let mut value: u64 = 0;
    let mut scale = 1.0_f64;
    for digit in fraction.bytes().take(18) {
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    if value == 0 {
        0
    } else {
        (value as f64 * (unit as f64 / scale)) as u64
    }
}

fn unit_nanos(unit: &str) -> Result<u64, DurationError> {
    Ok(match unit {
        "" => return Err(DurationError::MissingUnit),
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND as u64,
        "ms" => MILLISECOND as u64,
        "s" => SECOND as u64,
        "m" => MINUTE as u64,
        "h" => HOUR as u64,
        _ => return Err(DurationError::UnknownUnit),
    })
}

/// The first unit of a text that there is not.
pub fn unknown_unit(text: &str) -> Option<&str> {
    let number = |c: char| c == '.' || c.is_ascii_digit();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut units = unsigned.split(number).filter(|unit| !unit.is_empty());
    units.find(|unit| unit_nanos(unit).is_err())
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanos = self.0.unsigned_abs();
        if nanos < MICROSECOND as u64 {
            return write!(f, "{nanos}ns");
        }
        if nanos < MILLISECOND as u64 {
            return write_decimal(f, nanos, MICROSECOND as u64, "\u{b5}s");
        }
        if nanos < SECOND as u64 {
            return write_decimal(f, nanos, MILLISECOND as u64, "ms");
        }
        let (hours, rest) = (nanos / HOUR as u64, nanos % HOUR as u64);
        let (minutes, rest) = (rest / MINUTE as u64, rest % MINUTE as u64);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write_decimal(f, rest, SECOND as u64, "s")
    }
}

/// Writes `value / unit` without trailing zeros.
fn write_decimal(f: &mut fmt::Formatter<'_>, value: u64, unit: u64, name: &str) -> fmt::Result {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return write!(f, "{whole}{name}");
    }
    let width = unit.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    write!(f, "{whole}.{}{name}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
