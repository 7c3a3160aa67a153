//! Text → quantity.
//!
//! Upstream: quantity.go, parseQuantityString and ParseQuantity.

use super::{Amount, Format, Quantity, QuantityError};
use crate::digits::Digits;
use std::cmp::Ordering;

/// Upstream: maxInt64Factors, the digits that surely fit in 64 bits.
const DIGITS_THAT_FIT: i64 = 18;
const NANO: i64 = -9;
/// Beyond this many digits upstream would compute for minutes.
const DIGITS_MAX: i64 = 4_096;

/// A quantity cut into its parts.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, leading zeros dropped; at least one digit.
    whole: &'a str,
    /// Digits after the point.
    fraction: &'a str,
    suffix: &'a str,
    /// Whether there was any digit at all: `.Ei` has none.
    digits: bool,
}

/// What a suffix means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suffix {
    /// `× 10^exponent`
    Ten { exponent: i32, format: Format },
    /// `× 2^exponent`
    Two { exponent: u32 },
}

pub(super) fn quantity(text: &str) -> Result<Quantity, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let parts = cut(text)?;
    let suffix = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
    if let Some(small) = fast(text, &parts, suffix)? {
        return Ok(small);
    }
    slow(&parts, suffix)
}

fn cut(text: &str) -> Result<Parts<'_>, QuantityError> {
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let zeros = rest.len() - rest.trim_start_matches('0').len();
    let rest = &rest[zeros..];
    let (whole, rest) = split_digits(rest);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => split_digits(after),
        None => ("", rest),
    };
    let letters = rest
        .bytes()
        .take_while(|b| b"eEinumkKMGTP".contains(b))
        .count();
    let signed = &rest[letters..];
    let exponent = signed.strip_prefix(['+', '-']).unwrap_or(signed);
    if !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    let digits = zeros > 0 || !whole.is_empty() || !fraction.is_empty();
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(Parts {
        negative,
        whole,
        fraction,
        suffix: rest,
        digits,
    })
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Upstream: suffixHandler.interpret.
fn interpret(suffix: &str) -> Option<Suffix> {
    let si = |exponent| {
        Some(Suffix::Ten {
            exponent,
            format: Format::DecimalSi,
        })
    };
    match suffix {
        "n" => si(-9),
        "u" => si(-6),
        "m" => si(-3),
        "" => si(0),
        "k" => si(3),
        "M" => si(6),
        "G" => si(9),
        "T" => si(12),
        "P" => si(15),
        "E" => si(18),
        "Ki" => Some(Suffix::Two { exponent: 10 }),
        "Mi" => Some(Suffix::Two { exponent: 20 }),
        "Gi" => Some(Suffix::Two { exponent: 30 }),
        "Ti" => Some(Suffix::Two { exponent: 40 }),
        "Pi" => Some(Suffix::Two { exponent: 50 }),
        "Ei" => Some(Suffix::Two { exponent: 60 }),
        _ => {
            let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            // Upstream narrows with int32(), which wraps.
            Some(Suffix::Ten {
                exponent: exponent as i32,
                format: Format::DecimalExponent,
            })
        }
    }
}

/// The common case: everything fits in 64 bits. Upstream's own condition decides what "fits" means.
fn fast(text: &str, parts: &Parts<'_>, suffix: Suffix) -> Result<Option<Quantity>, QuantityError> {
    let (whole_len, fraction_len) = (parts.whole.len() as i64, parts.fraction.len() as i64);
    let (precision, scale, mantissa, format) = match suffix {
        Suffix::Ten { exponent, format } => (
            DIGITS_THAT_FIT - whole_len - fraction_len,
            i64::from(exponent),
            1,
            format,
        ),
        Suffix::Two { exponent } if fraction_len == 0 => {
            let factor_digits = i64::from(exponent * 3 / 10);
            (
                15 - whole_len - factor_digits - 1,
                0,
                1_i64 << exponent,
                Format::BinarySi,
            )
        }
        Suffix::Two { .. } => return Ok(None),
    };
    let scale = scale - fraction_len;
    if precision < 0 || scale < NANO {
        return Ok(None);
    }
    let Ok(scale) = i32::try_from(scale) else {
        return Ok(None);
    };
    let shifted = || parts.whole.bytes().chain(parts.fraction.bytes());
    let unsigned = shifted().fold(0_i64, |v, b| {
        v.wrapping_mul(10).wrapping_add(i64::from(b - b'0'))
    });
    let Some(value) = unsigned.checked_mul(mantissa) else {
        return Ok(None);
    };
    let value = if parts.negative { -value } else { value };
    let keeps_text = match suffix {
        Suffix::Two { .. } => unsigned & 7 != 0,
        Suffix::Ten { .. } => {
            scale % 3 == 0 && shifted().next() != Some(b'0') && !ends_in_three_zeros(parts)
        }
    };
    let canonical = Quantity {
        amount: Amount::Small { value, scale },
        format,
        written: None,
    };
    Ok(Some(if keeps_text {
        keeping(canonical, text)
    } else {
        canonical
    }))
}

fn ends_in_three_zeros(parts: &Parts<'_>) -> bool {
    let mut backwards = parts
        .fraction
        .bytes()
        .rev()
        .chain(parts.whole.bytes().rev());
    (0..3).all(|_| backwards.next() == Some(b'0'))
}

/// Upstream caches the text when it believes it canonical; where it is not, that text is what prints.
fn keeping(canonical: Quantity, text: &str) -> Quantity {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() && b != b'e' && b != b'E' && b != b'0');
    if plain || canonical.to_string() == text {
        return canonical;
    }
    Quantity {
        written: Some(text.into()),
        ..canonical
    }
}

/// Everything else, in billionths, rounded away from zero.
fn slow(parts: &Parts<'_>, suffix: Suffix) -> Result<Quantity, QuantityError> {
    if !parts.digits {
        return Err(QuantityError::Numeric);
    }
    let bytes = parts.whole.bytes().chain(parts.fraction.bytes());
    let mut digits = Digits::from_ascii(parts.negative, bytes);
    let (exponent, mut format) = match suffix {
        Suffix::Ten { exponent, format } => (i64::from(exponent), format),
        Suffix::Two { exponent } => {
            digits.multiply(1 << exponent);
            (0, Format::BinarySi)
        }
    };
    let shift = exponent - parts.fraction.len() as i64 - NANO;
    if digits.len() as i64 + shift > DIGITS_MAX {
        // Differs from upstream: a number of so many digits is refused instead of computed.
        return Err(QuantityError::Numeric);
    }
    if shift >= 0 {
        digits.push_zeros(shift as usize);
    } else {
        digits.drop_digits_rounding_up(usize::try_from(-shift).unwrap_or(usize::MAX));
    }
    if format == Format::BinarySi {
        if exceeds_cap(&digits) {
            let cap = Digits::from_ascii(parts.negative, i64::MAX.to_string().bytes());
            return Ok(Quantity {
                amount: Amount::Big {
                    digits: cap,
                    decimals: 0,
                },
                format,
                written: None,
            });
        }
        if !digits.is_zero() && digits.compare_magnitude(1_000_000_000).is_lt() {
            format = Format::DecimalSi;
        }
    }
    Ok(Quantity {
        amount: Amount::Big {
            digits,
            decimals: 9,
        },
        format,
        written: None,
    })
}

/// Binary quantities end at the largest 64-bit number. Upstream: maxAllowed.
fn exceeds_cap(billionths: &Digits) -> bool {
    let mut whole = billionths.clone();
    let fraction = whole.drop_digits(9);
    match whole.compare_magnitude(i64::MAX as u64) {
        Ordering::Greater => true,
        Ordering::Equal => fraction,
        Ordering::Less => false,
    }
}
