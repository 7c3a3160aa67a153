//! How long a failing container waits.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

#[test]
fn the_first_restart_is_immediate_and_later_ones_wait_longer() {
    let mut backoff = Backoff::default();
    assert_eq!(backoff.until(at(0), at(0)), None);
    let mut pauses = Vec::new();
    let mut now = 0;
    for _ in 0..8 {
        backoff.grow(at(now), at(now));
        now += 1;
        let until = backoff.until(at(now), at(now)).unwrap();
        pauses.push(go_seconds(until.duration_since(at(now))));
        now += backoff.pause().as_secs();
    }
    assert_eq!(
        pauses,
        [
            "10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s", "5m0s"
        ]
    );
}

#[test]
fn a_container_that_ran_for_ten_minutes_begins_anew() {
    let mut backoff = Backoff::default();
    backoff.grow(at(0), at(0));
    backoff.grow(at(10), at(10));
    assert_eq!(backoff.until(at(611), at(611)), None);
    backoff.grow(at(611), at(611));
    assert_eq!(go_seconds(backoff.pause()), "10s");
}
