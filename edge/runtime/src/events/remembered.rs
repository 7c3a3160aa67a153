//! A map that forgets its oldest entries.

use std::collections::{HashMap, VecDeque};

/// Upstream: maxLruCacheEntries.
const ENTRIES: usize = 4_096;

#[derive(Debug)]
pub(super) struct Remembered<V> {
    map: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V> Remembered<V> {
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.map.get(key)
    }

    pub(super) fn put(&mut self, key: String, value: V) {
        if self.map.insert(key.clone(), value).is_none() {
            self.began(key);
        }
    }

    /// What is known of `key`, or something new.
    pub(super) fn entry(&mut self, key: &str) -> &mut V
    where
        V: Default,
    {
        if !self.map.contains_key(key) {
            self.began(key.to_owned());
        }
        self.map.entry(key.to_owned()).or_default()
    }

    fn began(&mut self, key: String) {
        self.order.push_back(key);
        if self.order.len() > ENTRIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
    }
}
