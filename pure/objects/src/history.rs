//! The latest changes of one collection.

use std::collections::VecDeque;
use std::sync::Arc;

/// A change that happened.
#[derive(Debug, Clone)]
pub struct Event<P> {
    /// Its number.
    pub revision: u64,
    /// Which object.
    pub key: Arc<str>,
    /// What was there before; `None` when the object was created.
    pub before: Option<P>,
    /// What is there after; `None` when it was deleted.
    pub after: Option<P>,
}

/// The changes asked for are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// The oldest revision that can still be continued from.
    pub oldest: u64,
}

/// A collection's remembered events, oldest first.
#[derive(Debug)]
pub(crate) struct History<P> {
    events: VecDeque<Event<P>>,
    /// Events up to this revision are not remembered.
    forgotten: u64,
}

impl<P: Clone> History<P> {
    pub(crate) fn new(forgotten: u64) -> Self {
        Self {
            events: VecDeque::new(),
            forgotten,
        }
    }

    pub(crate) fn push(&mut self, event: Event<P>) {
        self.events.push_back(event);
    }

    /// Forgets the oldest event and returns it.
    pub(crate) fn forget_one(&mut self) -> Option<Event<P>> {
        let event = self.events.pop_front()?;
        self.forgotten = event.revision;
        Some(event)
    }

    /// The number of the latest event remembered or forgotten.
    pub(crate) fn latest(&self) -> u64 {
        self.events
            .back()
            .map_or(self.forgotten, |event| event.revision)
    }

    /// The events after `revision`, oldest first.
    pub(crate) fn since(
        &self,
        revision: u64,
    ) -> Result<impl Iterator<Item = &Event<P>> + use<'_, P>, Expired> {
        if revision < self.forgotten {
            return Err(Expired {
                oldest: self.forgotten,
            });
        }
        let start = self
            .events
            .partition_point(|event| event.revision <= revision);
        Ok(self.events.range(start..))
    }
}
