//! Whole numbers of any size, written in decimal: just enough arithmetic for [`crate::Quantity`].

use std::cmp::Ordering;

/// A whole number: sign and decimal digits, most significant first, no leading zeros, zero has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits {
    negative: bool,
    digits: Vec<u8>,
}

impl Digits {
    /// From ASCII digits (nothing else).
    pub(crate) fn from_ascii(negative: bool, ascii: impl Iterator<Item = u8>) -> Self {
        let digits: Vec<u8> = ascii.map(|b| b - b'0').skip_while(|d| *d == 0).collect();
        Self {
            negative: negative && !digits.is_empty(),
            digits,
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn len(&self) -> usize {
        self.digits.len()
    }

    /// The low 64 bits of the two's complement, as Go's big.Int.Int64 gives.
    pub(crate) fn low_i64(&self) -> i64 {
        let magnitude = self.digits.iter().fold(0_u64, |low, d| {
            low.wrapping_mul(10).wrapping_add(u64::from(*d))
        });
        let value = magnitude as i64;
        if self.negative {
            value.wrapping_neg()
        } else {
            value
        }
    }

    /// The nearest float.
    pub(crate) fn to_f64(&self) -> f64 {
        // The standard library's decimal parser rounds correctly, as big.Float.Float64 does.
        self.to_string().parse().unwrap_or(0.0)
    }

    pub(crate) fn compare_magnitude(&self, other: u64) -> Ordering {
        let other = Self::from_ascii(false, other.to_string().bytes());
        self.digits
            .len()
            .cmp(&other.digits.len())
            .then_with(|| self.digits.cmp(&other.digits))
    }

    /// Times ten to the power of `zeros`.
    pub(crate) fn push_zeros(&mut self, zeros: usize) {
        if !self.is_zero() {
            self.digits.resize(self.digits.len() + zeros, 0);
        }
    }

    /// Removes all trailing zeros and says how many there were.
    pub(crate) fn strip_zeros(&mut self) -> usize {
        let before = self.digits.len();
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        before - self.digits.len()
    }

    /// Drops the last `count` digits; true if any of them was not zero.
    pub(crate) fn drop_digits(&mut self, count: usize) -> bool {
        let keep = self.digits.len().saturating_sub(count);
        let lost = self.digits[keep..].iter().any(|d| *d != 0);
        self.digits.truncate(keep);
        if self.digits.is_empty() {
            self.negative = false;
        }
        lost
    }

    /// Drops the last `count` digits, rounding away from zero.
    pub(crate) fn drop_digits_rounding_up(&mut self, count: usize) {
        let negative = self.negative;
        if self.drop_digits(count) {
            self.negative = negative;
            self.increment_magnitude();
        }
    }

    fn increment_magnitude(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }

    /// Times a small number.
    pub(crate) fn multiply(&mut self, factor: u64) {
        let mut carry = 0_u128;
        for digit in self.digits.iter_mut().rev() {
            carry += u128::from(*digit) * u128::from(factor);
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            self.digits.insert(0, (carry % 10) as u8);
            carry /= 10;
        }
    }
}

impl std::fmt::Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        self.digits.iter().try_for_each(|d| write!(f, "{d}"))
    }
}
