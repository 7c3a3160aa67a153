//! Quantities print as the units crate prints them.

use super::*;
use proptest::prelude::*;
use units::{Format, Quantity};

fn text(write: fn(&mut Vec<u8>, u64), value: u64) -> String {
    let mut out = Vec::new();
    write(&mut out, value);
    String::from_utf8(out).unwrap()
}

fn check(value: u64) {
    let whole = i64::try_from(value).unwrap();
    assert_eq!(
        text(nanos, value),
        Quantity::from_nano(whole, Format::DecimalSi).to_string()
    );
    assert_eq!(
        text(bytes, value),
        Quantity::from_whole(whole, Format::BinarySi).to_string()
    );
}

#[test]
fn round_numbers_get_the_largest_suffix() {
    assert_eq!(text(nanos, 250_000_000), "250m");
    assert_eq!(text(nanos, 2_000_000_000), "2");
    assert_eq!(text(bytes, 64 << 20), "64Mi");
    for value in [0, 1, 1000, 1023, 1024, 1 << 40, 1_000_000_000_000] {
        check(value);
    }
}

proptest! {
    #[test]
    fn every_number_prints_as_a_quantity_does(value in 0..=i64::MAX as u64, shift in 0_u32..60, zeros in 0_u32..12) {
        check(value);
        check(value >> shift);
        check((value >> 40) / 10_u64.pow(zeros).max(1) * 10_u64.pow(zeros.min(9)));
        check((value >> shift.max(24)) << 20);
    }
}
