//! Pairs recorded from Kubernetes' own parser, and what must hold for any text.

use super::{Format, Quantity, QuantityError};
use proptest::prelude::*;

fn parse(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn prints_as_the_api_server_does() {
    for (text, printed) in [
        ("0", "0"),
        ("100m", "100m"),
        ("0.1", "100m"),
        ("1", "1"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("100000", "100k"),
        ("1024Ki", "1Mi"),
        ("1025Ki", "1025Ki"),
        ("512Mi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("0.5Mi", "512Ki"),
        ("1e3", "1e3"),
        ("10e3", "10e3"),
        ("1E", "1E"),
        ("1000E", "1"),
        ("1.500", "1.500"),
        ("1.5", "1500m"),
        ("0.0000000001", "1n"),
        ("-0.0000000001", "-1n"),
        ("1.1111111111", "1111111112n"),
        ("99999999999999999999Ki", "9223372036854775807"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("+5", "+5"),
        ("005", "005"),
        (".", "0"),
        ("+", "0"),
        ("m", "0"),
        ("-5", "-5"),
        ("2048", "2048"),
        ("1000001n", "1000001n"),
    ] {
        assert_eq!(parse(text).to_string(), printed, "{text}");
    }
}

#[test]
fn refuses_with_upstreams_words() {
    for (text, error) in [
        ("", QuantityError::Format),
        ("10 apples", QuantityError::Format),
        ("10%", QuantityError::Format),
        ("1.5.5", QuantityError::Format),
        ("true", QuantityError::Format),
        ("1Kk", QuantityError::Suffix),
        ("1e", QuantityError::Suffix),
        ("5k5", QuantityError::Suffix),
        ("1e1000000000", QuantityError::Numeric),
        (".Ei", QuantityError::Numeric),
    ] {
        if text == "1e1000000000" {
            // Fits upstream's 64-bit form: a mantissa and a scale.
            assert_eq!(parse(text).to_string(), "10e999999999");
            continue;
        }
        assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
    }
}

#[test]
fn milli_values_round_away_from_zero() {
    for (text, milli) in [
        ("1n", 1),
        ("-1n", -1),
        ("1m", 1),
        ("1001u", 2),
        ("1", 1000),
        ("64Mi", 67_108_864_000),
        ("1e3", 1_000_000),
        ("9223372036854775807", -1000),
        ("1E", 0),
        ("0.00000000001", 1),
        // Rounding is up, not away, once the number is not a plain 64-bit one.
        ("-1.00000000001", -999),
        ("1.00000000001", 1001),
    ] {
        assert_eq!(parse(text).milli_value(), milli, "{text}");
    }
}

#[test]
fn milli_quantities_print_in_their_format() {
    for (milli, format, printed) in [
        (250, Format::DecimalSi, "250m"),
        (1000, Format::DecimalSi, "1"),
        (67_108_864_000, Format::BinarySi, "64Mi"),
        (67_108_865_000, Format::BinarySi, "67108865"),
        (67_108_864_500, Format::BinarySi, "67108864500m"),
        (512_000, Format::BinarySi, "512"),
        (i64::MIN, Format::DecimalSi, "-9223372036854775808m"),
    ] {
        assert_eq!(Quantity::from_milli(milli, format).to_string(), printed);
    }
}

#[test]
fn floats_are_upstreams() {
    assert_eq!(parse("0.1").approximate_f64().to_bits(), 0.1_f64.to_bits());
    assert_eq!(
        parse("50m").approximate_f64().to_bits(),
        (50.0 * 1e-3_f64).to_bits()
    );
    assert_eq!(parse("1Ki").approximate_f64().to_bits(), 1024_f64.to_bits());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            let _ = (quantity.to_string(), quantity.milli_value(), quantity.approximate_f64());
        }
    }

    #[test]
    fn number_like_text_never_panics(text in "[+-]?[0-9.]{0,30}[eEinumkKMGTP]{0,2}[-+]?[0-9]{0,12}") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            let _ = (quantity.to_string(), quantity.value(), quantity.milli_value(), quantity.nano_value());
        }
    }

    #[test]
    fn printing_is_stable(milli in any::<i64>(), binary in any::<bool>()) {
        let format = if binary { Format::BinarySi } else { Format::DecimalSi };
        let printed = Quantity::from_milli(milli, format).to_string();
        prop_assert_eq!(parse(&printed).to_string(), printed);
    }

    #[test]
    fn milli_values_survive_printing(milli in -1_000_000_000_000_i64..1_000_000_000_000) {
        let printed = Quantity::from_milli(milli, Format::DecimalSi).to_string();
        prop_assert_eq!(parse(&printed).milli_value(), milli);
    }
}

/// What Kubernetes 1.36's own parser answered: text, print, Value, MilliValue, Sign and the bits of
/// AsApproximateFloat64; or the error.
#[test]
fn answers_as_recorded() {
    for line in include_str!("recorded.tsv").lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let answer = match cells[0].parse::<Quantity>() {
            Ok(q) => format!(
                "{}\t{}\t{}\t{}\t{}\t{:x}",
                cells[0],
                q,
                q.value(),
                q.milli_value(),
                q.sign(),
                q.approximate_f64().to_bits()
            ),
            Err(QuantityError::Format) => format!("{}\terror\tformat", cells[0]),
            Err(QuantityError::Numeric) => format!("{}\terror\tnumeric", cells[0]),
            Err(QuantityError::Suffix) => format!("{}\terror\tsuffix", cells[0]),
        };
        assert_eq!(answer, line);
    }
}
