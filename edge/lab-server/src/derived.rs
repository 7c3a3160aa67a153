//! Values computed from stored objects, computed anew when those have changed.

use crate::backend::{Backend, Payload};
use objects::{ListQuery, Store};
use std::sync::{Arc, PoisonError, RwLock};

/// A value that follows some collections.
#[derive(Debug)]
pub(crate) struct Derived<T> {
    collections: &'static [&'static str],
    /// The revision up to which the value has followed, and the value.
    known: RwLock<Option<(u64, Arc<T>)>>,
}

impl<T> Derived<T> {
    /// A value of these collections.
    pub(crate) fn new(collections: &'static [&'static str]) -> Self {
        Self {
            collections,
            known: RwLock::new(None),
        }
    }

    /// The value as of now; `build` makes it from the store.
    pub(crate) fn get(
        &self,
        backend: &Backend,
        build: impl FnOnce(&Store<Payload>) -> T,
    ) -> Arc<T> {
        let latest = {
            let state = backend.read();
            self.collections
                .iter()
                .map(|name| state.store.changed_at(name))
                .max()
        };
        if let Some((revision, value)) = &*self.known.read().unwrap_or_else(PoisonError::into_inner)
            && Some(*revision) >= latest
        {
            return value.clone();
        }
        let (revision, value) = {
            let state = backend.read();
            (state.store.revision(), Arc::new(build(&state.store)))
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(known, _)| *known <= revision) {
            *known = Some((revision, value.clone()));
        }
        value
    }
}

/// Every object of a collection.
pub(crate) fn all(store: &Store<Payload>, collection: &str) -> Vec<Payload> {
    let query = ListQuery {
        collection,
        prefix: "",
        after: None,
        at: None,
    };
    // The present is always remembered.
    let page = store.list(query, None, |_| true);
    page.map(|page| page.items.into_iter().map(|item| item.payload).collect())
        .unwrap_or_default()
}
