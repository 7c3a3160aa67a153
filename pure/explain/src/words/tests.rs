//! Numbers are never shown on the wrong side of what they are compared with.

use super::{age, listed, product, ratio, rest, span, wrapped};
use proptest::prelude::*;
use units::Duration;

#[test]
fn a_number_that_is_hardly_above_an_integer_shows_it() {
    assert_eq!(product(4.86), "4.86");
    assert_eq!(product(4.0), "4");
    assert_eq!(product(4.000_000_01), "4.00000001");
    assert_eq!(product(3.0 + 2.0 * f64::EPSILON), "3.0000000000000004");
    assert_eq!(product(f64::NAN), "no number");
    assert_eq!(product(f64::INFINITY), "infinite");
}

#[test]
fn a_ratio_shows_on_which_side_of_the_tolerance_it_is() {
    assert_eq!(ratio(1.04, &[0.9, 1.1]), "1.04");
    assert_eq!(ratio(1.1, &[0.9, 1.1]), "1.1");
    assert_eq!(ratio(1.100_01, &[0.9, 1.1]), "1.10001");
    assert_eq!(ratio(1.0 / 3.0, &[0.9, 1.1]), "0.33");
}

#[test]
fn spans_have_no_empty_parts() {
    let said = [300, 90, 3600, 5400, 15, 0].map(|s| span(Duration::from_seconds(s)));
    assert_eq!(said, ["5m", "1m30s", "1h", "1h30m", "15s", "0s"]);
    assert_eq!(age(Duration::from_millis(134_500)), "2m14s");
    let window = Duration::from_seconds(300);
    assert_eq!(rest(window, Duration::from_millis(134_500)), "2m46s");
}

#[test]
fn lists_and_lines() {
    let parts = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(listed(&parts), "a, b and c");
    assert_eq!(
        wrapped("one two three four", 9, "  "),
        "one two\n  three\n  four"
    );
}

proptest! {
    #[test]
    fn what_is_shown_rounds_up_to_the_same_number(value in -1e6..1e6_f64) {
        prop_assert_eq!(product(value).parse::<f64>().unwrap().ceil(), value.ceil());
    }
}
