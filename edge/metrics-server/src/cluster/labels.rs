//! Label sets, each kept once: the replicas of a workload share theirs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A label set, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Labels(Arc<[(Box<str>, Box<str>)]>);

impl Labels {
    pub(crate) fn new(labels: BTreeMap<String, String>) -> Self {
        Self(
            labels
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let at = self
            .0
            .binary_search_by(|(known, _)| (**known).cmp(key))
            .ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Finds equal label sets.
#[derive(Debug, Default)]
pub(super) struct Interner {
    known: HashSet<Labels>,
    /// Unused sets are dropped when there are this many.
    sweep_at: usize,
}

impl Interner {
    pub(super) fn intern(&mut self, labels: BTreeMap<String, String>) -> Labels {
        let labels = Labels::new(labels);
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
