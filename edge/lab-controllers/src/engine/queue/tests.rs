//! Each key is worked on once at a time, and failures wait.

use super::Queue;
use crate::engine::cache::ObjectKey;
use std::time::Duration;
use tokio::time::Instant;

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

#[tokio::test(start_paused = true)]
async fn a_key_is_queued_once() {
    let queue = Queue::default();
    queue.add(key("a"));
    queue.add(key("b"));
    queue.add(key("a"));
    assert_eq!(queue.next().await, key("a"));
    assert_eq!(queue.next().await, key("b"));
    let third = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
    assert!(third.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_changes_while_worked_on_comes_again_after_done() {
    let queue = Queue::default();
    queue.add(key("a"));
    let taken = queue.next().await;
    queue.add(key("a"));
    let early = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
    assert!(early.is_err());
    queue.done(&taken);
    assert_eq!(queue.next().await, key("a"));
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_several_delays_wins() {
    let queue = Queue::default();
    let start = Instant::now();
    queue.add_after(key("a"), Duration::from_secs(10));
    queue.add_after(key("a"), Duration::from_secs(2));
    queue.add_after(key("a"), Duration::from_secs(5));
    assert_eq!(queue.next().await, key("a"));
    assert_eq!(start.elapsed().as_secs(), 2);
    queue.done(&key("a"));
    let again = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
    assert!(again.is_err());
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_and_are_forgotten() {
    let queue = Queue::default();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        queue.add_rate_limited(key("a"));
        let taken = queue.next().await;
        queue.done(&taken);
        waits.push(start.elapsed().as_millis());
    }
    assert_eq!(waits, [5, 10, 20]);
    queue.forget(&key("a"));
    let start = Instant::now();
    queue.add_rate_limited(key("a"));
    queue.next().await;
    assert_eq!(start.elapsed().as_millis(), 5);
}
