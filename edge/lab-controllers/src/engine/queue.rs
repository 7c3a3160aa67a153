//! A work queue of keys: each key is queued once, worked on by one worker, retried with back-off.
//!
//! Upstream: client-go/util/workqueue (v1.36): queue.go, delaying_queue.go, default_rate_limiters.go.

use super::cache::ObjectKey;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Back-off of the first retry; doubles with each.
const RETRY_FIRST: Duration = Duration::from_millis(5);
/// The longest back-off. Upstream's is 1000 s; a lab's users wait less.
const RETRY_LONGEST: Duration = Duration::from_secs(30);

/// The queue. Its length is bounded by the number of distinct keys.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<ObjectKey>,
    /// Keys that wait in `ready`, or that became dirty while being worked on.
    dirty: HashSet<ObjectKey>,
    processing: HashSet<ObjectKey>,
    later: BTreeMap<(Instant, ObjectKey), ()>,
    due: HashMap<ObjectKey, Instant>,
    failures: HashMap<ObjectKey, u32>,
}

impl State {
    /// Returns whether a worker should wake.
    fn add(&mut self, key: ObjectKey) -> bool {
        if !self.dirty.insert(key.clone()) || self.processing.contains(&key) {
            return false;
        }
        self.ready.push_back(key);
        true
    }

    fn move_due(&mut self, now: Instant) {
        while let Some(((at, _), ())) = self.later.first_key_value() {
            if *at > now {
                return;
            }
            if let Some(((_, key), ())) = self.later.pop_first() {
                self.due.remove(&key);
                self.add(key);
            }
        }
    }

    fn take(&mut self) -> Option<ObjectKey> {
        let key = self.ready.pop_front()?;
        self.dirty.remove(&key);
        self.processing.insert(key.clone());
        Some(key)
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `key` now.
    pub(crate) fn add(&self, key: ObjectKey) {
        let wake = self.state().add(key);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Queues `key` after `delay`; the earliest of several wins.
    pub(crate) fn add_after(&self, key: ObjectKey, delay: Duration) {
        let at = Instant::now() + delay;
        let mut state = self.state();
        if let Some(&waiting) = state.due.get(&key) {
            if waiting <= at {
                return;
            }
            state.later.remove(&(waiting, key.clone()));
        }
        state.due.insert(key.clone(), at);
        state.later.insert((at, key), ());
        drop(state);
        // A sleeping worker must learn of an earlier time.
        self.wake.notify_one();
    }

    /// Queues `key` after a back-off that doubles with each failure.
    pub(crate) fn add_rate_limited(&self, key: ObjectKey) {
        let mut state = self.state();
        let failures = state.failures.entry(key.clone()).or_insert(0);
        let delay = RETRY_FIRST
            .saturating_mul(1 << (*failures).min(20))
            .min(RETRY_LONGEST);
        *failures = failures.saturating_add(1);
        drop(state);
        self.add_after(key, delay);
    }

    /// Forgets the failures of `key`.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.state().failures.remove(key);
    }

    /// The next key to work on; [`Queue::done`] must follow.
    pub(crate) async fn next(&self) -> ObjectKey {
        loop {
            let woken = self.wake.notified();
            let earliest = {
                let mut state = self.state();
                state.move_due(Instant::now());
                if let Some(key) = state.take() {
                    let more = !state.ready.is_empty();
                    drop(state);
                    if more {
                        self.wake.notify_one();
                    }
                    return key;
                }
                state.later.first_key_value().map(|((at, _), ())| *at)
            };
            match earliest {
                Some(at) => {
                    tokio::select! {
                        () = woken => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => woken.await,
            }
        }
    }

    /// Says that the work on `key` has ended; if it became dirty meanwhile it is queued again.
    pub(crate) fn done(&self, key: &ObjectKey) {
        let mut state = self.state();
        state.processing.remove(key);
        if state.dirty.contains(key) {
            state.ready.push_back(key.clone());
            drop(state);
            self.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
