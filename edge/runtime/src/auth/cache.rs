//! Answers that hold for a while, in bounded space.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// More than one server sees in ten seconds; beyond it the cache starts afresh.
const CAPACITY: usize = 4096;

/// What an answer is found by: a digest, so that no token stays in memory.
pub(super) type Key = [u8; 32];

#[derive(Debug)]
pub(super) struct Cache<V> {
    entries: Mutex<HashMap<Key, (Instant, V)>>,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<V: Clone> Cache<V> {
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(key)
            .filter(|(until, _)| *until > now)
            .map(|(_, value)| value.clone())
    }

    pub(super) fn put(&self, key: Key, value: V, until: Instant) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, (until, value));
    }
}

/// A digest of `parts`, each kept apart from the next.
pub(super) fn digest(parts: &[&str]) -> Key {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}
