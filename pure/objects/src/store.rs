//! The store itself: collections of objects under one revision counter.

use crate::batch::{Batch, Change, Expect, Mismatch};
use crate::history::{Event, Expired, History};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// What a payload costs to remember; roughly its bytes.
pub trait Weigh {
    /// The cost.
    fn weight(&self) -> usize;
}

impl<T: Weigh> Weigh for Arc<T> {
    fn weight(&self) -> usize {
        (**self).weight()
    }
}

/// How much of the past is remembered, over all collections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At most this many events.
    pub events: usize,
    /// At most this weight of payloads.
    pub weight: usize,
}

/// An object as it is now.
#[derive(Debug, Clone)]
pub struct Entry<P> {
    /// The number of the change that made it so.
    pub revision: u64,
    /// The object.
    pub payload: P,
}

/// Which objects to list.
#[derive(Debug, Clone, Copy)]
pub struct ListQuery<'a> {
    /// Of which collection.
    pub collection: &'a str,
    /// Only keys that begin so.
    pub prefix: &'a str,
    /// Only keys after this one.
    pub after: Option<&'a str>,
    /// As of this revision; now if `None`.
    pub at: Option<u64>,
}

/// One listed object.
#[derive(Debug, Clone)]
pub struct Item<P> {
    /// Its key.
    pub key: Arc<str>,
    /// It.
    pub payload: P,
}

/// The answer to a list.
#[derive(Debug)]
pub struct Page<P> {
    /// The objects in the order of their keys.
    pub items: Vec<Item<P>>,
    /// The revision that the page shows.
    pub revision: u64,
    /// How many more objects there are after the page's last, before any filter.
    pub remaining: usize,
}

#[derive(Debug)]
struct Collection<P> {
    objects: BTreeMap<Arc<str>, Entry<P>>,
    history: History<P>,
}

/// Versioned objects and their latest changes.
#[derive(Debug)]
pub struct Store<P> {
    collections: BTreeMap<Arc<str>, Collection<P>>,
    revision: u64,
    /// Before this revision nothing was ever remembered.
    base: u64,
    /// The collections of the remembered events, oldest first.
    order: VecDeque<Arc<str>>,
    weight: usize,
    limits: Limits,
}

impl<P: Clone + Weigh> Store<P> {
    /// An empty store whose last change had number `revision`.
    pub fn new(limits: Limits, revision: u64) -> Self {
        Self {
            collections: BTreeMap::new(),
            revision,
            base: revision,
            order: VecDeque::new(),
            weight: 0,
            limits,
        }
    }

    /// The number of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The number of the last change of one collection, as far as it is known.
    pub fn changed_at(&self, collection: &str) -> u64 {
        self.collections
            .get(collection)
            .map_or(self.base, |found| found.history.latest())
    }

    /// Puts an object in place without an event: it was there before this store began.
    pub fn load(&mut self, collection: &Arc<str>, key: Arc<str>, entry: Entry<P>) {
        self.collection_mut(collection).objects.insert(key, entry);
    }

    /// Says when a loaded collection last changed: a watch may resume from there on, although the
    /// changes themselves are not remembered.
    pub fn load_changed(&mut self, collection: &Arc<str>, revision: u64) {
        let revision = revision.min(self.base);
        let found = self.collection_mut(collection);
        found.history = History::new(revision);
    }

    /// The object at a key.
    pub fn get(&self, collection: &str, key: &str) -> Option<&Entry<P>> {
        self.collections.get(collection)?.objects.get(key)
    }

    /// How many objects each collection has.
    pub fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.collections
            .iter()
            .map(|(name, collection)| (&**name, collection.objects.len()))
    }

    /// A batch on top of what is committed.
    pub fn batch(&self) -> Batch<P> {
        Batch::new(self.revision)
    }

    /// Decides one write on top of a batch. `make` is told the revision the write gets, and
    /// returns the payload, or `None` to delete.
    pub fn stage(
        &self,
        batch: &mut Batch<P>,
        (collection, key): (Arc<str>, Arc<str>),
        expect: Expect,
        make: impl FnOnce(u64) -> Option<P>,
    ) -> Result<u64, Mismatch> {
        let actual = batch
            .touched(&collection, &key)
            .unwrap_or_else(|| self.get(&collection, &key).map(|entry| entry.revision));
        let wanted = match expect {
            Expect::Absent => None,
            Expect::At(revision) => Some(revision),
        };
        if actual != wanted {
            return Err(Mismatch { actual });
        }
        let revision = batch.revision() + 1;
        batch.push(Change {
            collection,
            key,
            revision,
            payload: make(revision),
        });
        Ok(revision)
    }

    /// Makes a batch visible. A batch that was made before another was committed is refused
    /// and given back.
    pub fn commit(&mut self, batch: Batch<P>) -> Result<(), Batch<P>> {
        if batch.base != self.revision {
            return Err(batch);
        }
        for change in batch.into_changes() {
            self.apply(change);
        }
        self.forget();
        Ok(())
    }

    /// The objects that a query matches, at most `limit` of them for which `keep` is true.
    pub fn list(
        &self,
        query: ListQuery<'_>,
        limit: Option<usize>,
        keep: impl Fn(&P) -> bool,
    ) -> Result<Page<P>, Expired> {
        let revision = query.at.unwrap_or(self.revision).min(self.revision);
        let Some(collection) = self.collections.get(query.collection) else {
            let expired = revision < self.base;
            let empty = Page {
                items: Vec::new(),
                revision,
                remaining: 0,
            };
            return if expired {
                Err(Expired { oldest: self.base })
            } else {
                Ok(empty)
            };
        };
        let past = collection.as_of(revision)?;
        let mut rows = collection.rows(&query, &past);
        let limit = limit.unwrap_or(usize::MAX);
        let mut items = Vec::new();
        while items.len() < limit {
            let Some((key, payload)) = rows.next() else {
                break;
            };
            if keep(payload) {
                items.push(Item {
                    key: key.clone(),
                    payload: payload.clone(),
                });
            }
        }
        let remaining = if items.len() < limit { 0 } else { rows.count() };
        Ok(Page {
            items,
            revision,
            remaining,
        })
    }

    /// At most `max` events of a collection after `revision`, oldest first.
    pub fn since(
        &self,
        collection: &str,
        revision: u64,
        max: usize,
    ) -> Result<Vec<Event<P>>, Expired> {
        match self.collections.get(collection) {
            Some(found) => Ok(found.history.since(revision)?.take(max).cloned().collect()),
            None if revision < self.base => Err(Expired { oldest: self.base }),
            None => Ok(Vec::new()),
        }
    }

    /// Whether changes of a collection after `revision` are all remembered.
    pub fn remembers(&self, collection: &str, revision: u64) -> Result<(), Expired> {
        self.since(collection, revision, 0).map(|_| ())
    }

    fn collection_mut(&mut self, name: &Arc<str>) -> &mut Collection<P> {
        let base = self.base;
        self.collections
            .entry(name.clone())
            .or_insert_with(|| Collection {
                objects: BTreeMap::new(),
                history: History::new(base),
            })
    }

    fn apply(&mut self, change: Change<P>) {
        let Change {
            collection: name,
            key,
            revision,
            payload,
        } = change;
        let collection = self.collection_mut(&name);
        let before = match &payload {
            Some(payload) => {
                let entry = Entry {
                    revision,
                    payload: payload.clone(),
                };
                collection.objects.insert(key.clone(), entry)
            }
            None => collection.objects.remove(&key),
        };
        let before = before.map(|entry| entry.payload);
        let event = Event {
            revision,
            key,
            before,
            after: payload,
        };
        let weight = weigh(&event);
        collection.history.push(event);
        self.weight += weight;
        self.order.push_back(name);
        self.revision = revision;
    }

    fn forget(&mut self) {
        while self.order.len() > self.limits.events || self.weight > self.limits.weight {
            let Some(name) = self.order.pop_front() else {
                return;
            };
            let forgotten = self
                .collections
                .get_mut(&name)
                .and_then(|found| found.history.forget_one());
            self.weight -= forgotten.as_ref().map_or(0, weigh);
        }
    }
}

/// An event keeps alive what it replaced; what it made is alive anyway, or kept by the next event.
fn weigh<P: Weigh>(event: &Event<P>) -> usize {
    let payload = event.before.as_ref().or(event.after.as_ref());
    payload.map_or(0, Weigh::weight)
}

/// What differs between now and then: the payload at then, or `None` if there was none.
type Past<'a, P> = BTreeMap<&'a Arc<str>, Option<&'a P>>;

impl<P: Clone> Collection<P> {
    /// The keys that changed after `revision`, with what they held at it.
    fn as_of(&self, revision: u64) -> Result<Past<'_, P>, Expired> {
        let mut past = Past::new();
        if revision >= self.history.latest() {
            return Ok(past);
        }
        for event in self.history.since(revision)? {
            past.entry(&event.key).or_insert(event.before.as_ref());
        }
        Ok(past)
    }

    fn rows<'a>(
        &'a self,
        query: &ListQuery<'a>,
        past: &'a Past<'a, P>,
    ) -> Box<dyn Iterator<Item = (&'a Arc<str>, &'a P)> + 'a> {
        let prefix = query.prefix;
        let start = match query.after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let now = self
            .objects
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix));
        if past.is_empty() {
            return Box::new(now.map(|(key, entry)| (key, &entry.payload)));
        }
        let mut rows: BTreeMap<&Arc<str>, &P> =
            now.map(|(key, entry)| (key, &entry.payload)).collect();
        let after = |key: &str| match start {
            Bound::Excluded(after) => key > after,
            _ => true,
        };
        for (key, payload) in past {
            match payload {
                Some(payload) if key.starts_with(prefix) && after(key) => {
                    rows.insert(key, payload);
                }
                _ => {
                    rows.remove(key);
                }
            }
        }
        Box::new(rows.into_iter())
    }
}

#[cfg(test)]
mod tests;
