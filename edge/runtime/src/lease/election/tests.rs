//! Two candidates and a lease, second by second.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

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

/// What may happen, to one of three candidates.
#[derive(Debug, Clone)]
enum Happening {
    /// Time passes.
    Wait(u64),
    /// It reads, and its write arrives at once.
    Attempt(usize),
    /// It reads, and its write arrives when the next one of these lets it; it hears nothing of it.
    Lost(usize),
    /// The writes under way arrive.
    Arrive,
    /// It releases what it holds.
    Release(usize),
}

/// The store: a write onto another version than the newest is refused.
#[derive(Default)]
struct Store {
    lease: Option<Record>,
    version: u64,
    under_way: Vec<(u64, Record)>,
}

impl Store {
    fn write(&mut self, onto: u64, record: Record) -> bool {
        if onto != self.version {
            return false;
        }
        self.version += 1;
        self.lease = Some(record);
        true
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1..8_u64).prop_map(Happening::Wait),
        6 => (0..3_usize).prop_map(Happening::Attempt),
        2 => (0..3_usize).prop_map(Happening::Lost),
        1 => Just(Happening::Arrive),
        1 => (0..3_usize).prop_map(Happening::Release),
    ]
}

fn happen(store: &mut Store, all: &mut [Election], at: Duration, what: &Happening) {
    let (&Happening::Attempt(who) | &Happening::Lost(who) | &Happening::Release(who)) = what else {
        if matches!(what, Happening::Arrive) {
            for (onto, record) in std::mem::take(&mut store.under_way) {
                store.write(onto, record);
            }
        }
        return;
    };
    let (one, onto) = (&mut all[who], store.version);
    one.saw(at, store.lease.clone());
    // Each write differs, as its time does.
    let wall = Timestamp::from_second(i64::try_from(onto).unwrap()).unwrap();
    if matches!(what, Happening::Release(_)) {
        one.step_down();
        if let Some(record) = one.release(wall) {
            store.write(onto, record);
        }
        return;
    }
    let Some(bid) = one.bid(at, wall) else { return };
    if matches!(what, Happening::Lost(_)) {
        store.under_way.push((onto, bid));
    } else if store.write(onto, bid.clone()) {
        one.won(at, bid);
    }
}

proptest! {
    #[test]
    fn there_are_never_two_leaders(happenings in vec(happening(), 0..120)) {
        let mut all = ["a", "b", "c"].map(candidate);
        let (mut store, mut at) = (Store::default(), s(0));
        for what in &happenings {
            if let Happening::Wait(seconds) = what {
                at += s(*seconds);
            }
            happen(&mut store, &mut all, at, what);
            let leaders = all.iter().filter(|one| one.leads(at)).count();
            prop_assert!(leaders <= 1, "{leaders} at {at:?}");
        }
    }

    #[test]
    fn whoever_goes_on_trying_leads_in_the_end(happenings in vec(happening(), 0..60)) {
        let mut all = ["a", "b", "c"].map(candidate);
        let (mut store, mut at) = (Store::default(), s(0));
        for what in &happenings {
            if let Happening::Wait(seconds) = what {
                at += s(*seconds);
            }
            happen(&mut store, &mut all, at, what);
        }
        // The others fall silent: a whole duration and a period are enough.
        for _ in 0..9 {
            happen(&mut store, &mut all, at, &Happening::Attempt(0));
            at += s(2);
        }
        prop_assert!(all[0].leads(at));
    }
}
