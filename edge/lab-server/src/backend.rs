//! The store, its journal, and who is woken when something changes.

use crate::journal::{self, Journal};
use crate::stored::{Draft, Stored};
use objects::{Entry, Event, Expect, Expired, Limits, ListQuery, Mismatch, Page, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// How much of the past is kept for watches and continued lists.
const REMEMBERED: Limits = Limits {
    events: 20_000,
    weight: 12 << 20,
};

pub(crate) type Payload = Arc<Stored>;

/// The store and the ones who wait for its changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store<Payload>,
    wakers: BTreeMap<Arc<str>, watch::Sender<u64>>,
}

/// A write to be made.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) collection: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) expect: Expect,
    /// `None` deletes.
    pub(crate) draft: Option<Draft>,
}

/// Why a write was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the object has changed")]
    Mismatch(Mismatch),
    #[error("writing to the data directory: {0}")]
    Journal(String),
}

/// What a write did.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// `None` after a deletion.
    pub(crate) stored: Option<Payload>,
}

/// The key of an object.
pub(crate) fn key(namespace: &str, name: &str) -> Arc<str> {
    format!("{namespace}/{name}").into()
}

/// Shared access to the store.
#[derive(Debug)]
pub(crate) struct Backend {
    state: Arc<RwLock<State>>,
    journal: Option<Journal>,
}

impl State {
    /// Decides writes in order and makes them visible together, after `persist` has kept them.
    pub(crate) fn stage(
        &self,
        batch: &mut objects::Batch<Payload>,
        write: &Write,
    ) -> Result<Written, Mismatch> {
        let mut sealed = None;
        let place = (write.collection.clone(), write.key.clone());
        self.store.stage(batch, place, write.expect, |revision| {
            sealed = write
                .draft
                .as_ref()
                .map(|draft| Arc::new(draft.seal(revision)));
            sealed.clone()
        })?;
        Ok(Written { stored: sealed })
    }

    /// Makes a batch visible and wakes those who watch.
    pub(crate) fn commit(&mut self, batch: objects::Batch<Payload>) -> bool {
        let changed: Vec<(Arc<str>, u64)> = batch
            .changes()
            .iter()
            .map(|c| (c.collection.clone(), c.revision))
            .collect();
        if self.store.commit(batch).is_err() {
            return false;
        }
        for (collection, revision) in changed {
            if let Some(waker) = self.wakers.get(&collection) {
                waker.send_replace(revision);
            }
        }
        true
    }
}

impl Backend {
    /// A store that lives in memory only.
    pub(crate) fn in_memory() -> Self {
        let state = State {
            store: Store::new(REMEMBERED, 0),
            wakers: BTreeMap::new(),
        };
        Self {
            state: Arc::new(RwLock::new(state)),
            journal: None,
        }
    }

    /// A store that is kept in a directory.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        let (database, store) = journal::open(directory, REMEMBERED)?;
        let state = Arc::new(RwLock::new(State {
            store,
            wakers: BTreeMap::new(),
        }));
        let journal = Journal::start(database, state.clone())?;
        Ok(Self {
            state,
            journal: Some(journal),
        })
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        read(&self.state)
    }

    /// Makes a write, and returns when it is kept.
    pub(crate) async fn write(&self, write: Write) -> Result<Written, Refused> {
        match &self.journal {
            Some(journal) => journal.write(write).await,
            None => {
                let mut state = write_lock(&self.state);
                let mut batch = state.store.batch();
                let written = state.stage(&mut batch, &write).map_err(Refused::Mismatch)?;
                state.commit(batch);
                Ok(written)
            }
        }
    }

    /// Closes what is on disk; later writes are refused.
    pub(crate) async fn close(&self) {
        if let Some(journal) = &self.journal {
            journal.close().await;
        }
    }

    /// The object at a key.
    pub(crate) fn get(&self, collection: &str, key: &str) -> Option<Payload> {
        self.read()
            .store
            .get(collection, key)
            .map(|entry: &Entry<Payload>| entry.payload.clone())
    }

    /// The objects that a query matches.
    pub(crate) fn list(
        &self,
        query: ListQuery<'_>,
        limit: Option<usize>,
        keep: impl Fn(&Payload) -> bool,
    ) -> Result<Page<Payload>, Expired> {
        self.read().store.list(query, limit, keep)
    }

    /// The next events of a collection, and the revision the store then had.
    pub(crate) fn since(
        &self,
        collection: &str,
        revision: u64,
        max: usize,
    ) -> Result<(Vec<Event<Payload>>, u64), Expired> {
        let state = self.read();
        Ok((
            state.store.since(collection, revision, max)?,
            state.store.revision(),
        ))
    }

    /// A receiver that is woken by every change of a collection.
    pub(crate) fn subscribe(&self, collection: &Arc<str>) -> watch::Receiver<u64> {
        let mut state = write_lock(&self.state);
        let revision = state.store.revision();
        let waker = state.wakers.entry(collection.clone());
        waker
            .or_insert_with(|| watch::Sender::new(revision))
            .subscribe()
    }
}

/// A panic elsewhere cannot leave the store half-changed: `commit` does not panic between its steps.
pub(crate) fn read(state: &RwLock<State>) -> RwLockReadGuard<'_, State> {
    state.read().unwrap_or_else(PoisonError::into_inner)
}

/// See [`read`].
pub(crate) fn write_lock(state: &RwLock<State>) -> RwLockWriteGuard<'_, State> {
    state.write().unwrap_or_else(PoisonError::into_inner)
}
