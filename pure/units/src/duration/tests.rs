//! Pairs from Go, and round trips.

use super::{Duration, DurationError, unknown_unit};
use proptest::prelude::*;

#[test]
fn reads_and_writes_as_go_does() {
    for (text, nanos, printed) in [
        ("0", 0, "0s"),
        ("15s", 15_000_000_000, "15s"),
        ("1m30s", 90_000_000_000, "1m30s"),
        ("90s", 90_000_000_000, "1m30s"),
        ("5m", 300_000_000_000, "5m0s"),
        ("1h", 3_600_000_000_000, "1h0m0s"),
        ("250ms", 250_000_000, "250ms"),
        ("1.5s", 1_500_000_000, "1.5s"),
        (".5s", 500_000_000, "500ms"),
        ("-1.5h", -5_400_000_000_000, "-1h30m0s"),
        ("1us", 1_000, "1\u{b5}s"),
        ("1100ns", 1_100, "1.1\u{b5}s"),
        ("7ns", 7, "7ns"),
    ] {
        let duration: Duration = text.parse().unwrap();
        assert_eq!(duration.nanos(), nanos, "{text}");
        assert_eq!(duration.to_string(), printed, "{text}");
    }
}

#[test]
fn refuses_what_go_refuses() {
    for (text, error) in [
        ("", DurationError::Malformed),
        ("15", DurationError::MissingUnit),
        ("s", DurationError::Malformed),
        ("1d", DurationError::UnknownUnit),
        ("9999999h", DurationError::TooLong),
        ("1s2", DurationError::MissingUnit),
    ] {
        assert_eq!(text.parse::<Duration>(), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(nanos in any::<i64>()) {
        let duration = Duration::from_nanos(nanos);
        let read: Duration = duration.to_string().parse().unwrap();
        // Go reads fractions through floats too; at this size they are exact to the microsecond.
        prop_assert!((i128::from(read.nanos()) - i128::from(nanos)).abs() <= 1);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,30}") {
        let _ = text.parse::<Duration>();
    }
}

#[test]
fn a_unit_that_there_is_not_is_named() {
    for (text, unit) in [("1d", Some("d")), ("-1h3.5x2s", Some("x")), ("1m2s", None)] {
        assert_eq!(unknown_unit(text), unit, "{text}");
    }
}
