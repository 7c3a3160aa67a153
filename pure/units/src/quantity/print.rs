//! Quantity → canonical text.
//!
//! Upstream: quantity.go, CanonicalizeBytes; amount.go, AsCanonicalBytes and AsCanonicalBase1024Bytes.

use super::{Amount, Format, Quantity, scale};
use std::fmt;

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

pub(super) fn canonical(quantity: &Quantity, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if quantity.sign() == 0 {
        return f.write_str("0");
    }
    if quantity.format == Format::BinarySi
        && let Some(whole) = whole_of_a_kibi(quantity)
    {
        return binary(whole, f);
    }
    match &quantity.amount {
        Amount::Small { value, scale } => small(*value, *scale, quantity.format, f),
        Amount::Big { digits, decimals } => {
            let mut digits = digits.clone();
            let mut exponent = digits.strip_zeros() as i64 - i64::from(*decimals);
            let pad = exponent.rem_euclid(3);
            digits.push_zeros(pad as usize);
            exponent -= pad;
            write!(
                f,
                "{digits}{}",
                DecimalSuffix {
                    exponent,
                    format: quantity.format
                }
            )
        }
    }
}

/// The whole value, if binary notation can say it: no fraction, and not below 1024.
fn whole_of_a_kibi(quantity: &Quantity) -> Option<i64> {
    let whole = match &quantity.amount {
        Amount::Small { value, scale } if *scale < 0 => {
            let (whole, exact) = scale::down(*value, -scale);
            exact.then_some(whole)?
        }
        Amount::Small { value, scale } => scale::up(*value, *scale)?,
        Amount::Big { digits, decimals } => {
            // Parsing caps binary quantities at the largest 64-bit number, so this fits.
            let mut whole = digits.clone();
            let fraction = whole.drop_digits(decimals.unsigned_abs() as usize);
            (!fraction).then(|| whole.low_i64())?
        }
    };
    (whole.unsigned_abs() >= 1024).then_some(whole)
}

fn binary(whole: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = whole;
    let mut times = 0;
    while rest.unsigned_abs() >= 1024 && rest % 1024 == 0 && times + 1 < BINARY.len() {
        rest /= 1024;
        times += 1;
    }
    write!(f, "{rest}{}", BINARY[times])
}

fn small(value: i64, scale: i32, format: Format, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut mantissa = i128::from(value);
    let mut exponent = i64::from(scale);
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    while exponent.rem_euclid(3) != 0 {
        mantissa *= 10;
        exponent -= 1;
    }
    write!(f, "{mantissa}{}", DecimalSuffix { exponent, format })
}

/// The suffix of a decimal number; nothing where there is none (`1000E` prints as `1`, as upstream).
struct DecimalSuffix {
    exponent: i64,
    format: Format,
}

impl fmt::Display for DecimalSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.format, self.exponent) {
            (_, 0) => Ok(()),
            (Format::DecimalExponent, exponent) => write!(f, "e{exponent}"),
            (_, -9) => f.write_str("n"),
            (_, -6) => f.write_str("u"),
            (_, -3) => f.write_str("m"),
            (_, 3) => f.write_str("k"),
            (_, 6) => f.write_str("M"),
            (_, 9) => f.write_str("G"),
            (_, 12) => f.write_str("T"),
            (_, 15) => f.write_str("P"),
            (_, 18) => f.write_str("E"),
            _ => Ok(()),
        }
    }
}
