//! How much is remembered.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// What counts for scaling down, and for scaling up, within a window.
fn bounds(list: &[Recommendation], cutoff: Timestamp) -> (Option<i32>, Option<i32>) {
    let within = || list.iter().filter(|r| r.at > cutoff).map(|r| r.replicas);
    (within().max(), within().min())
}

#[test]
fn who_looks_every_second_for_an_hour_forgets_nothing_that_counts() {
    let mut history = History::default();
    let mut all = Vec::new();
    for second in 0..3_600 {
        // A wave, so that highest and lowest are not just the newest.
        let replicas = 20 + (second % 97) as i32 - (second % 31) as i32;
        let new = Recommendation {
            at: at(second),
            replicas,
        };
        all.push(new);
        history.recommend(new, |_| false);
    }
    let kept = history.recommendations.unwrap();
    assert!(kept.len() <= ENTRIES_MAX);
    for window in [10, 300, 1_800, 3_599] {
        let cutoff = at(3_599 - window);
        assert_eq!(bounds(&kept, cutoff), bounds(&all, cutoff), "{window}");
    }
}

#[test]
fn changes_beyond_the_limit_lose_the_oldest() {
    let mut history = History::default();
    for second in 0..2_000 {
        history.scaled(at(second), 1, 2, Duration::from_seconds(10_000));
    }
    assert_eq!(history.ups.len(), ENTRIES_MAX);
    assert_eq!(history.ups[0].at, at(2_000 - ENTRIES_MAX as i64));
}
