//! Label sets, each kept once: the replicas of a workload share theirs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A label set, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<[(Box<str>, Box<str>)]>);

impl Labels {
    /// Of what an object has.
    pub fn new(labels: BTreeMap<String, String>) -> Self {
        Self(
            labels
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    /// A label's value.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self
            .0
            .binary_search_by(|(known, _)| (**known).cmp(key))
            .ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Finds equal label sets.
#[derive(Debug, Default)]
pub struct Interner {
    known: HashSet<Labels>,
    /// Unused sets are dropped when there are this many.
    sweep_at: usize,
}

impl Interner {
    /// The set of these labels that is known already, if there is one.
    pub fn intern(&mut self, labels: BTreeMap<String, String>) -> Labels {
        self.keep(Labels::new(labels))
    }

    /// The set that is known already, if there is one, in the place of an equal one.
    pub fn keep(&mut self, labels: Labels) -> Labels {
        if let Some(known) = self.known.get(&labels) {
            return known.clone();
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|known| Arc::strong_count(&known.0) > 1);
            self.sweep_at = (self.known.len() * 2).max(256);
        }
        self.known.insert(labels.clone());
        labels
    }
}
