//! The next times of schedules.

use super::{Schedule, ScheduleError};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next(schedule: &str, after: &str) -> String {
    let schedule: Schedule = schedule.parse().unwrap();
    schedule
        .next(at(after), &TimeZone::UTC)
        .map_or("never".into(), |at| at.to_string())
}

#[test]
fn next_times_are_those_of_cron() {
    for (schedule, after, expected) in [
        (
            "*/5 * * * *",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:05:00Z",
        ),
        (
            "*/5 * * * *",
            "2026-01-01T00:04:59.5Z",
            "2026-01-01T00:05:00Z",
        ),
        ("0 * * * *", "2026-01-01T23:30:00Z", "2026-01-02T00:00:00Z"),
        ("@hourly", "2026-01-01T23:30:00Z", "2026-01-02T00:00:00Z"),
        (
            "30 2 * * mon-fri",
            "2026-01-02T03:00:00Z",
            "2026-01-05T02:30:00Z",
        ),
        (
            "0 0 29 feb *",
            "2026-01-01T00:00:00Z",
            "2028-02-29T00:00:00Z",
        ),
        ("0 0 31 4 *", "2026-01-01T00:00:00Z", "never"),
        (
            "0 12 1,15 * *",
            "2026-01-01T12:00:00Z",
            "2026-01-15T12:00:00Z",
        ),
        (
            "5/20 * * * ?",
            "2026-01-01T00:26:00Z",
            "2026-01-01T00:45:00Z",
        ),
        (
            "@every 1h30m",
            "2026-01-01T00:00:00.7Z",
            "2026-01-01T01:30:00Z",
        ),
        ("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
    ] {
        assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
    }
}

#[test]
fn either_day_is_enough_when_both_are_given() {
    assert_eq!(
        next("0 0 13 * fri", "2026-01-03T00:00:00Z"),
        "2026-01-09T00:00:00Z"
    );
    assert_eq!(
        next("0 0 13 * fri", "2026-01-10T00:00:00Z"),
        "2026-01-13T00:00:00Z"
    );
}

#[test]
fn what_is_no_schedule_is_refused() {
    let four = "* * * *".parse::<Schedule>().unwrap_err();
    assert_eq!(
        four.to_string(),
        "expected exactly 5 fields, found 4: [* * * *]"
    );
    for text in [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "@often",
        "@every soon",
        "",
    ] {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
    assert!(matches!(
        "@often".parse::<Schedule>(),
        Err(ScheduleError::Descriptor(_))
    ));
}

#[test]
fn the_latest_missed_time_is_found_however_long_ago_the_first_was() {
    let now = at("2026-06-01T10:07:30Z");
    let every_five: Schedule = "*/5 * * * *".parse().unwrap();
    let years_ago = at("2020-01-01T00:00:00Z");
    let zone = TimeZone::UTC;
    assert_eq!(
        every_five.latest(years_ago, now, &zone),
        Some(at("2026-06-01T10:05:00Z"))
    );
    assert!(every_five.count(years_ago, now, &zone) > 100);
    let yearly: Schedule = "@yearly".parse().unwrap();
    assert_eq!(
        yearly.latest(years_ago, now, &zone),
        Some(at("2026-01-01T00:00:00Z"))
    );
    assert_eq!(
        every_five.latest(at("2026-06-01T10:05:00Z"), now, &zone),
        None
    );
}

#[test]
fn local_times_that_the_clocks_leap_over_are_left_out() {
    let Ok(berlin) = TimeZone::get("Europe/Berlin") else {
        // A machine without time zones; nothing to see.
        return;
    };
    let schedule: Schedule = "30 2 * * *".parse().unwrap();
    let next = schedule.next(at("2026-03-28T12:00:00Z"), &berlin);
    assert_eq!(next, Some(at("2026-03-30T00:30:00Z")));
}
