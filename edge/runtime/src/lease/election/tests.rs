//! Two candidates and a lease, second by second.

use super::*;

const WALL: Timestamp = Timestamp::UNIX_EPOCH;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn candidate(name: &str) -> Election {
    Election::new(name, s(15), s(10))
}

/// Reads, and writes if that is allowed.
fn attempt(one: &mut Election, at: u64, lease: &mut Option<Record>) {
    one.saw(s(at), lease.clone());
    let wall = Timestamp::from_second(i64::try_from(at).unwrap()).unwrap();
    if let Some(bid) = one.bid(s(at), wall) {
        *lease = Some(bid.clone());
        one.won(s(at), bid);
    }
}

#[test]
fn the_first_leads_and_the_second_waits_while_the_lease_is_renewed() {
    let (mut a, mut b, mut lease) = (candidate("a"), candidate("b"), None);
    for at in (0..60).step_by(2) {
        attempt(&mut a, at, &mut lease);
        attempt(&mut b, at, &mut lease);
        assert!(a.leads(s(at)) && !b.leads(s(at)), "{at}");
    }
    let lease = lease.unwrap();
    assert_eq!((lease.transitions, lease.acquired), (0, WALL));
    assert_eq!(lease.renewed.as_second(), 58);
    assert_eq!(b.holder(), "a");
}

#[test]
fn a_silent_leader_is_replaced_when_its_lease_ran_out_and_no_sooner() {
    let (mut a, mut b, mut lease) = (candidate("a"), candidate("b"), None);
    attempt(&mut a, 0, &mut lease);
    attempt(&mut b, 1, &mut lease);
    attempt(&mut b, 15, &mut lease);
    assert!(!b.leads(s(15)));
    assert!(!a.leads(s(10)), "it stops before another begins");
    attempt(&mut b, 16, &mut lease);
    assert!(b.leads(s(16)));
    assert_eq!(lease.as_ref().unwrap().transitions, 1);
    attempt(&mut a, 17, &mut lease);
    assert!(!a.leads(s(17)));
}

#[test]
fn nobody_elses_clock_is_believed() {
    let long_ago = Record {
        holder: "a".to_owned(),
        duration: s(15),
        acquired: Timestamp::MIN,
        renewed: Timestamp::MIN,
        transitions: 3,
    };
    let mut b = candidate("b");
    b.saw(s(100), Some(long_ago.clone()));
    assert_eq!(b.bid(s(100), WALL), None);
    assert_eq!(b.bid(s(115), WALL).unwrap().transitions, 4);
    let renewed = Record {
        renewed: WALL,
        ..long_ago
    };
    b.saw(s(114), Some(renewed));
    assert_eq!(b.bid(s(115), WALL), None);
}

#[test]
fn who_sees_another_name_in_the_lease_leads_no_longer() {
    let (mut a, mut lease) = (candidate("a"), None);
    attempt(&mut a, 0, &mut lease);
    let other = Record {
        holder: "b".to_owned(),
        ..lease.unwrap()
    };
    a.saw(s(1), Some(other));
    assert!(!a.leads(s(1)));
    assert_eq!(a.release(WALL), None, "it is not its own to release");
}

#[test]
fn who_finds_the_lease_deleted_leads_no_longer_but_may_take_it_anew() {
    let (mut a, mut lease) = (candidate("a"), None);
    attempt(&mut a, 0, &mut lease);
    a.saw(s(1), None);
    assert!(!a.leads(s(1)));
    assert!(a.bid(s(1), WALL).is_some());
}

#[test]
fn a_lease_that_was_released_is_taken_at_once() {
    let (mut a, mut b, mut lease) = (candidate("a"), candidate("b"), None);
    attempt(&mut a, 0, &mut lease);
    attempt(&mut b, 1, &mut lease);
    lease = a.release(WALL);
    attempt(&mut b, 2, &mut lease);
    assert!(b.leads(s(2)));
    assert_eq!(lease.unwrap().transitions, 1);
}

#[test]
fn a_leader_that_could_not_renew_may_lead_again_while_its_name_is_still_there() {
    let (mut a, mut lease) = (candidate("a"), None);
    attempt(&mut a, 0, &mut lease);
    a.step_down();
    assert!(!a.leads(s(1)));
    attempt(&mut a, 12, &mut lease);
    assert!(a.leads(s(12)));
    assert_eq!(lease.unwrap().transitions, 0);
}
