//! The text, there and back, and everything else that may stand in an annotation.

use super::{BYTES_MAX, Problem, decode, encode};
use expect_test::expect;
use hpa::remember::{ENTRIES_MAX, KNOWN_MAX};
use hpa::{History, Known, Recommendation, ScaleEvent};
use proptest::prelude::*;
use units::{Duration, Timestamp};

const NOW: Timestamp = Timestamp::from_nanos(1_767_268_800_250_000_000);

fn ago(millis: i64) -> Timestamp {
    NOW.minus(Duration::from_millis(millis))
}

fn recommendation((replicas, millis): (i32, i64)) -> Recommendation {
    Recommendation {
        at: ago(millis),
        replicas,
    }
}

fn known((metric, replicas, millis): (u64, i32, i64)) -> Known {
    Known {
        metric,
        at: ago(millis),
        replicas,
    }
}

fn event((change, millis): (i32, i64)) -> ScaleEvent {
    ScaleEvent {
        at: ago(millis),
        change,
    }
}

#[test]
fn it_is_compact_and_can_be_read_by_people() {
    let history = History {
        recommendations: Some([(5, 45_000), (2, 0)].map(recommendation).to_vec()),
        ups: vec![event((2, 60_000))],
        ..History::default()
    };
    let text = encode(NOW, &history);
    expect![[r#"{"v":1,"at":"2026-01-01T12:00:00.25Z","recommendations":[[5,45000],[2,0]],"ups":[[2,60000]]}"#]]
        .assert_eq(&text);
    assert_eq!(decode(NOW, &text), Ok(history));
}

#[test]
fn nothing_and_an_empty_list_differ() {
    for recommendations in [None, Some(vec![])] {
        let history = History {
            recommendations,
            ..History::default()
        };
        assert_eq!(decode(NOW, &encode(NOW, &history)), Ok(history));
    }
}

#[test]
fn the_longest_is_within_the_limit() {
    let year = 366 * 24 * 3_600 * 1_000;
    let history = History {
        recommendations: Some(vec![recommendation((i32::MAX, year)); ENTRIES_MAX]),
        ups: vec![event((i32::MAX, year)); ENTRIES_MAX],
        downs: vec![event((i32::MAX, year)); ENTRIES_MAX],
        known: vec![known((u64::MAX, i32::MAX, year)); KNOWN_MAX],
    };
    let text = encode(NOW, &history);
    assert!(text.len() <= BYTES_MAX, "{}", text.len());
    // What could be fallen back on gives way.
    let mut read = decode(NOW, &text).unwrap();
    assert!(read.known.len() < history.known.len());
    read.known.clone_from(&history.known);
    assert_eq!(read, history);
}

#[test]
fn what_metrics_last_asked_for_is_written_beside_and_can_be_left_unread() {
    let history = History {
        ups: vec![event((2, 60_000))],
        known: vec![known((255, 6, 15_000)), known((u64::MAX, 0, 0))],
        ..History::default()
    };
    let text = encode(NOW, &history);
    expect![[r#"{"v":1,"at":"2026-01-01T12:00:00.25Z","ups":[[2,60000]],"known":[["00000000000000ff",6,15000],["ffffffffffffffff",0,0]]}"#]].assert_eq(&text);
    assert_eq!(decode(NOW, &text), Ok(history));
    let foreign = text.replace("00000000000000ff", "not-a-number");
    assert_eq!(
        decode(NOW, &foreign),
        Err(Problem::Foreign(
            "\"not-a-number\" is no metric's identity".to_owned()
        ))
    );
}

#[test]
fn what_is_not_ours_is_refused_with_a_reason() {
    let oversized = " ".repeat(BYTES_MAX + 1);
    let cases = [
        "",
        "null",
        "[]",
        "5",
        r#"{"v":1}"#,
        r#"{"v":2,"at":5}"#,
        r#"{"v":-1,"at":"2026-01-01T12:00:00Z"}"#,
        r#"{"v":1,"at":"yesterday"}"#,
        r#"{"v":1,"at":"2026-01-01T12:02:00Z"}"#,
        r#"{"v":1,"at":"2026-01-01T12:00:00Z","ups":[[-1,0]]}"#,
        r#"{"v":1,"at":"2026-01-01T12:00:00Z","ups":[[1,-1]]}"#,
        r#"{"v":1,"at":"2026-01-01T12:00:00Z","ups":[[1,9223372036854775807]]}"#,
        r#"{"v":1,"at":"2026-01-01T12:00:00Z","recommendations":[[99999999999,0]]}"#,
        r#"{"v":1,"at":"2026-01-01T12:00:00Z","recommendations":[[1]]}"#,
        &oversized,
    ];
    let answers: Vec<String> = cases
        .iter()
        .map(|text| match decode(NOW, text) {
            Ok(history) => format!("{history:?}"),
            Err(problem) => problem.to_string(),
        })
        .collect();
    expect![[r#"
        it is no history: EOF while parsing a value at line 1 column 0
        it is no history: invalid type: null, expected struct Head at line 1 column 4
        it is no history: invalid length 0, expected struct Head with 1 element at line 1 column 2
        it is no history: invalid type: integer `5`, expected struct Head at line 1 column 1
        it is no history: missing field `at` at line 1 column 7
        it is of version 2, and only version 1 is known
        it is no history: invalid value: integer `-1`, expected u32 at line 1 column 7
        it is no history: "yesterday" is no time
        it is from the future: 2026-01-01T12:02:00Z
        it is no history: [-1,0] is no number and age
        it is no history: [1,-1] is no number and age
        it is no history: [1,9223372036854775807] is no number and age
        it is no history: invalid value: integer `99999999999`, expected i32 at line 1 column 66
        it is no history: invalid length 1, expected a tuple of size 2 at line 1 column 57
        it has 4097 bytes, more than 4096"#]]
    .assert_eq(&answers.join("\n"));
}

#[test]
fn a_clock_that_is_a_little_behind_reads_nothing_from_the_future() {
    let history = History {
        recommendations: Some(vec![recommendation((3, 0))]),
        ..History::default()
    };
    let behind = ago(2_000);
    let read = decode(behind, &encode(NOW, &history)).unwrap();
    assert_eq!(read.recommendations.unwrap()[0].at, behind);
    let far_behind = ago(120_000);
    assert!(matches!(
        decode(far_behind, &encode(NOW, &history)),
        Err(Problem::Future(_))
    ));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        let _ = decode(NOW, &text);
    }

    #[test]
    fn any_text_that_looks_like_one_is_read_or_refused(
        at in "[0-9TZ:.+-]{0,32}", list in r"[\[\]0-9,.e-]{0,40}", v in 0_u32..3
    ) {
        let _ = decode(NOW, &format!(r#"{{"v":{v},"at":"{at}","recommendations":{list}}}"#));
        let _ = decode(NOW, &format!(r#"{{"v":1,"at":"2026-01-01T12:00:00Z","ups":{list}}}"#));
    }

    #[test]
    fn a_text_that_was_changed_anywhere_is_read_or_refused(index in 0_usize..90, with in any::<char>()) {
        let history = History {
            recommendations: Some([(5, 45_000), (2, 0)].map(recommendation).to_vec()),
            ..History::default()
        };
        let mut text: Vec<char> = encode(NOW, &history).chars().collect();
        if let Some(place) = text.get_mut(index) {
            *place = with;
        }
        let _ = decode(NOW, &text.into_iter().collect::<String>());
    }

    #[test]
    fn any_history_comes_back(
        recommendations in proptest::option::of(
            proptest::collection::vec((0..i32::MAX, 0_i64..4_000_000), 0..20)),
        ups in proptest::collection::vec((0..i32::MAX, 0_i64..4_000_000), 0..20),
        downs in proptest::collection::vec((0..i32::MAX, 0_i64..4_000_000), 0..20),
        all_known in proptest::collection::vec((any::<u64>(), 0..i32::MAX, 0_i64..4_000_000), 0..12),
    ) {
        let history = History {
            recommendations: recommendations.map(|l| l.into_iter().map(recommendation).collect()),
            ups: ups.into_iter().map(event).collect(),
            downs: downs.into_iter().map(event).collect(),
            known: all_known.into_iter().map(known).collect(),
        };
        prop_assert_eq!(decode(NOW, &encode(NOW, &history)), Ok(history));
    }
}
