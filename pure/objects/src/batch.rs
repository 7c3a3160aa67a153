//! Writes that are decided but not yet visible.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What must be true of a key for a write to go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is there.
    Absent,
    /// The object is there at this revision.
    At(u64),
}

/// A write was refused: the key is not as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The revision that is there, if any.
    pub actual: Option<u64>,
}

/// One staged write.
#[derive(Debug, Clone)]
pub struct Change<P> {
    /// Which collection.
    pub collection: Arc<str>,
    /// Which object of it.
    pub key: Arc<str>,
    /// The number of this change.
    pub revision: u64,
    /// The new payload; `None` deletes.
    pub payload: Option<P>,
}

/// Writes in order, each decided on top of those before it.
#[derive(Debug)]
pub struct Batch<P> {
    pub(crate) base: u64,
    changes: Vec<Change<P>>,
    latest: BTreeMap<(Arc<str>, Arc<str>), Option<u64>>,
}

impl<P> Batch<P> {
    pub(crate) fn new(base: u64) -> Self {
        Self {
            base,
            changes: Vec::new(),
            latest: BTreeMap::new(),
        }
    }

    /// The staged writes, in the order of their revisions.
    pub fn changes(&self) -> &[Change<P>] {
        &self.changes
    }

    /// Whether nothing is staged.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The revision after the last staged write.
    pub fn revision(&self) -> u64 {
        self.changes
            .last()
            .map_or(self.base, |change| change.revision)
    }

    /// What this batch leaves at a key: `None` when it does not touch it.
    pub(crate) fn touched(&self, collection: &Arc<str>, key: &Arc<str>) -> Option<Option<u64>> {
        if self.latest.is_empty() {
            return None;
        }
        self.latest.get(&(collection.clone(), key.clone())).copied()
    }

    pub(crate) fn push(&mut self, change: Change<P>) {
        let left = change.payload.is_some().then_some(change.revision);
        self.latest
            .insert((change.collection.clone(), change.key.clone()), left);
        self.changes.push(change);
    }

    pub(crate) fn into_changes(self) -> Vec<Change<P>> {
        self.changes
    }
}
