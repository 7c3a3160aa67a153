//! Who makes room for whom.

use super::*;
use std::time::Duration;

fn places(handshakes: usize, connections: usize) -> Arc<Places> {
    Arc::new(Places::new(Room {
        handshakes,
        connections,
    }))
}

#[tokio::test(start_paused = true)]
async fn the_oldest_unfinished_handshake_makes_room_for_a_new_one() {
    let places = places(2, 10);
    let start = Instant::now();
    let guests: Vec<Guest> = (0..3)
        .filter_map(|second| places.enter(start + Duration::from_secs(second)))
        .collect();
    let left: Vec<bool> = guests.iter().map(|g| g.leave.is_cancelled()).collect();
    assert_eq!(left, [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_makes_room_and_one_at_work_does_not() {
    let places = places(1, 1);
    let old = Arc::new(places.enter(Instant::now()).expect("there is room"));
    old.established(Instant::now());
    let busy = old.begin();
    assert!(places.enter(Instant::now()).is_none());
    assert!(!old.leave.is_cancelled());
    drop(busy);
    assert!(places.enter(Instant::now()).is_some());
    assert!(old.leave.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_connection_ends() {
    let places = places(1, 1);
    let guest = places.enter(Instant::now());
    assert_eq!(places.open().count(false), 1);
    drop(guest);
    assert_eq!(places.open().count(false), 0);
}
