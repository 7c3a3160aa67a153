//! Powers of ten on 64-bit numbers, with upstream's rounding and overflow.
//!
//! Upstream: math.go, scale_int.go, and Go's math.Pow10.

use crate::digits::Digits;

/// `value × 10^steps`; `None` on overflow.
pub(crate) fn up(value: i64, steps: i32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    (0..steps).try_fold(value, |v, _| v.checked_mul(10))
}

/// `value × 10^steps`, and on overflow what upstream then gives: the wrapped product for the steps it
/// has a short cut for, else 0. Upstream: positiveScaleInt64, whose second result ScaledValue ignores.
pub(crate) fn up_as_upstream(value: i64, steps: i32) -> i64 {
    match up(value, steps) {
        Some(scaled) => scaled,
        None if value != i64::MIN && matches!(steps, 1 | 2 | 3 | 6 | 9) => {
            value.wrapping_mul(10_i64.pow(steps.unsigned_abs()))
        }
        None => 0,
    }
}

/// `value ÷ 10^steps` rounded away from zero, and whether that was exact. Upstream: negativeScaleInt64.
pub(crate) fn down(value: i64, steps: i32) -> (i64, bool) {
    let away = if value > 0 { 1 } else { -1 };
    let mut rest = value;
    let mut exact = true;
    for _ in 0..steps {
        exact &= rest % 10 == 0;
        rest /= 10;
        if rest == 0 {
            return if exact { (0, true) } else { (away, false) };
        }
    }
    if exact {
        (rest, true)
    } else {
        (rest.saturating_add(away), false)
    }
}

/// `digits ÷ 10^steps`. Upstream: scaledValue, with its rounding: up, also for negative numbers.
pub(crate) fn big(digits: &Digits, steps: i32) -> i64 {
    const DIGITS_OF_I64: i32 = 19;
    if steps <= 0 {
        return digits
            .low_i64()
            .wrapping_mul(10_i64.wrapping_pow(steps.unsigned_abs()));
    }
    let below_max = digits.is_negative() || digits.compare_magnitude(i64::MAX as u64).is_lt();
    if below_max && steps < DIGITS_OF_I64 {
        let divisor = 10_i64.pow(steps.unsigned_abs());
        let unscaled = digits.low_i64();
        let rest = unscaled % divisor;
        return unscaled / divisor + i64::from(rest != 0);
    }
    let mut quotient = digits.clone();
    let lost = quotient.drop_digits(steps.unsigned_abs() as usize);
    quotient.low_i64().wrapping_add(i64::from(lost))
}

/// Ten to a power, from the same two table look-ups as Go, so that the last bit agrees.
pub(crate) fn pow10(exponent: i32) -> f64 {
    if (0..=308).contains(&exponent) {
        return exact_pow10(exponent / 32 * 32) * exact_pow10(exponent % 32);
    }
    if (-323..0).contains(&exponent) {
        let n = -exponent;
        return exact_pow10(-(n / 32 * 32)) / exact_pow10(n % 32);
    }
    if exponent > 0 { f64::INFINITY } else { 0.0 }
}

fn exact_pow10(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)
}
