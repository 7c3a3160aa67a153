//! How many messages are too many, and for how long.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// How many of `messages`, one a second, are combined.
fn combined_of(similar: &mut Similar, messages: std::ops::Range<i64>, from: i64) -> usize {
    let numbered = messages.map(|number| (number.to_string(), at(from + number)));
    numbered
        .filter(|(message, at)| similar.too_many("group", message, *at))
        .count()
}

#[test]
fn nine_are_told_apart_and_the_others_are_not() {
    let mut similar = Similar::default();
    assert_eq!(combined_of(&mut similar, 0..15, 0), 6);
    assert!(!similar.too_many("group", "3", at(20)), "it is known");
    assert!(!similar.too_many("another", "14", at(20)));
}

#[test]
fn after_ten_quiet_minutes_they_begin_anew() {
    let mut similar = Similar::default();
    assert_eq!(combined_of(&mut similar, 0..15, 0), 6);
    assert!(similar.too_many("group", "14", at(614)));
    assert!(!similar.too_many("group", "14", at(1_215)));
}
