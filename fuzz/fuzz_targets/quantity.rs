//! Quantities: what parses prints, and what was printed reads as the same number in the same words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use units::{Format, Quantity};

const FORMATS: [Format; 3] = [Format::DecimalExponent, Format::BinarySi, Format::DecimalSi];

fuzz_target!(|bytes: &[u8]| {
    if let Some(number) = bytes.first_chunk() {
        // The smallest of all is more than upstream lets a text say, in either direction.
        of_a_number(i64::from_le_bytes(*number).max(-i64::MAX));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        of_a_text(text);
    }
});

fn of_a_text(text: &str) {
    match text.parse::<Quantity>() {
        Ok(quantity) => reads_as_printed(&quantity),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn of_a_number(number: i64) {
    for format in FORMATS {
        let whole = Quantity::from_whole(number, format);
        assert_eq!(whole.value(), number);
        reads_as_printed(&whole);
        let milli = Quantity::from_milli(number, format);
        assert_eq!(milli.milli_value(), number);
        reads_as_printed(&milli);
        let nano = Quantity::from_nano(number, format);
        assert_eq!(nano.nano_value(), number);
        reads_as_printed(&nano);
    }
}

fn reads_as_printed(quantity: &Quantity) {
    let printed = quantity.to_string();
    let size = quantity.approximate_f64();
    if size.is_infinite() {
        // Written with one more digit, it is refused: upstream would compute for minutes.
        return;
    }
    let read: Quantity = printed
        .parse()
        .unwrap_or_else(|e| panic!("{printed:?} was printed but does not read: {e}"));
    let again = read.to_string();
    // 62.5Ki prints as 64000, which is decimal and prints as 64k, with upstream too.
    if read.format() == quantity.format() {
        assert_eq!(again, printed);
    }
    let settled: Quantity = again.parse().expect("what was read is printed to be read");
    assert_eq!(settled.to_string(), again);
    assert_eq!(read.sign(), quantity.sign(), "{printed}");
    // 0e999 is nothing times infinity, with upstream too.
    assert!(!size.is_nan() || quantity.sign() == 0, "{printed}");
    if fits(size) {
        assert_eq!(read.value(), quantity.value(), "{printed}");
    }
    if fits(size * 1e3) {
        assert_eq!(read.milli_value(), quantity.milli_value(), "{printed}");
    }
    if fits(size * 1e9) {
        assert_eq!(read.nano_value(), quantity.nano_value(), "{printed}");
    }
}

/// What does not fit is cut off, and what is negative is rounded, as upstream does it: that depends on how
/// the number is held, and a small number may be held as a big one once it was read from text.
fn fits(size: f64) -> bool {
    (0.0..9.22e18).contains(&size)
}
