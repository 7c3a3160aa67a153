//! A shared copy of all objects of one kind, kept current by one watch and by our own writes.
//!
//! A write's answer is newer than what the watch has told; storing it at once means that the next
//! reconciliation already sees it. Resource versions decide which of two copies is newer (they are
//! ordered for one resource, KEP-5504), and an answer that the watch has already passed is ignored,
//! so that an object deleted meanwhile does not come back.

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;
use tracing::warn;

/// Namespace (empty for cluster-scoped objects) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl ObjectKey {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    pub(crate) fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self::new(
            meta.namespace.clone().unwrap_or_default(),
            meta.name.clone().unwrap_or_default(),
        )
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// What controllers need of a kind.
pub(crate) trait Object:
    Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
}

/// One change of an object: `old` is `None` when it is new, `new` is `None` when it is gone.
#[derive(Debug)]
pub(crate) struct Change<'a, K> {
    pub(crate) old: Option<&'a Arc<K>>,
    pub(crate) new: Option<&'a Arc<K>>,
}

impl<'a, K> Change<'a, K> {
    /// The object before and after, as far as there is one.
    pub(crate) fn both(&self) -> impl Iterator<Item = &'a Arc<K>> + use<'a, K> {
        self.old.into_iter().chain(self.new)
    }

    /// The newest state of the object.
    pub(crate) fn any(&self) -> Option<&'a Arc<K>> {
        self.new.or(self.old)
    }
}

type Handler<K> = Box<dyn Fn(&Change<'_, K>) + Send + Sync>;
/// Namespace, uid of the controlling owner (empty if none), name.
type OwnerIndex = BTreeSet<(String, String, String)>;

/// The copy.
pub(crate) struct Cache<K> {
    inner: RwLock<Inner<K>>,
    handlers: OnceLock<Vec<Handler<K>>>,
    synced: watch::Sender<bool>,
}

struct Inner<K> {
    objects: BTreeMap<ObjectKey, Arc<K>>,
    by_controller: OwnerIndex,
    /// The highest resource version that the watch has reported.
    watched: u64,
}

impl<K> Default for Inner<K> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            by_controller: BTreeSet::new(),
            watched: 0,
        }
    }
}

impl<K: Object> Default for Cache<K> {
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner::default()),
            handlers: OnceLock::new(),
            synced: watch::Sender::new(false),
        }
    }
}

/// Collects what to call on changes, before the watch begins.
pub(crate) struct Handlers<K>(Vec<Handler<K>>);

impl<K> Default for Handlers<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K> Handlers<K> {
    /// Whether nobody wants to hear of changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `handler` on each change. It must be quick: it only queues keys.
    pub(crate) fn on(&mut self, handler: impl Fn(&Change<'_, K>) + Send + Sync + 'static) {
        self.0.push(Box::new(handler));
    }
}

/// The uid of the owner that controls the object.
pub(crate) fn controller_uid<K: Resource>(object: &K) -> Option<&str> {
    let owners = object.meta().owner_references.as_ref()?;
    owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| owner.uid.as_str())
}

/// The object's resource version as a number; 0 if it has none.
pub(crate) fn version<K: Resource>(object: &K) -> u64 {
    object
        .meta()
        .resource_version
        .as_deref()
        .and_then(|v| v.parse().ok())
        .unwrap_or(0)
}

impl<K: Object> Inner<K> {
    fn index_entry(object: &K) -> (String, String, String) {
        let key = ObjectKey::of(object);
        (
            key.namespace,
            controller_uid(object).unwrap_or_default().to_owned(),
            key.name,
        )
    }

    fn insert(&mut self, object: Arc<K>) -> Option<Arc<K>> {
        let old = self.objects.insert(ObjectKey::of(&*object), object.clone());
        if let Some(old) = &old {
            self.by_controller.remove(&Self::index_entry(old));
        }
        self.by_controller.insert(Self::index_entry(&object));
        old
    }

    fn remove(&mut self, key: &ObjectKey) -> Option<Arc<K>> {
        let old = self.objects.remove(key)?;
        self.by_controller.remove(&Self::index_entry(&old));
        Some(old)
    }

    fn is_newer(&self, object: &K) -> bool {
        self.objects
            .get(&ObjectKey::of(object))
            .is_none_or(|held| version(object) > version(&**held))
    }
}

impl<K: Object> Cache<K> {
    fn read(&self) -> RwLockReadGuard<'_, Inner<K>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what to call on changes; only the first call counts.
    pub(crate) fn listen(&self, handlers: Handlers<K>) {
        // A second set would be a mistake of the wiring; the first stays.
        let _ = self.handlers.set(handlers.0);
    }

    fn tell(&self, old: Option<&Arc<K>>, new: Option<&Arc<K>>) {
        let change = Change { old, new };
        for handler in self.handlers.get().into_iter().flatten() {
            handler(&change);
        }
    }

    /// One object.
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.read().objects.get(key).cloned()
    }

    /// All objects of one namespace (of the cluster for cluster-scoped kinds and `""`).
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let from = ObjectKey::new(namespace, "");
        let inner = self.read();
        inner
            .objects
            .range(from..)
            .take_while(|(key, _)| key.namespace == namespace)
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// All objects.
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        self.read().objects.values().cloned().collect()
    }

    /// The objects of a namespace that the owner `uid` controls; with an empty uid, those that
    /// nothing controls.
    pub(crate) fn controlled_by(&self, namespace: &str, uid: &str) -> Vec<Arc<K>> {
        let from = (namespace.to_owned(), uid.to_owned(), String::new());
        let inner = self.read();
        inner
            .by_controller
            .range(from..)
            .take_while(|(ns, owner, _)| ns == namespace && owner == uid)
            .filter_map(|(ns, _, name)| inner.objects.get(&ObjectKey::new(ns, name)).cloned())
            .collect()
    }

    /// Stores the answer to a write of ours.
    pub(crate) fn wrote(&self, mut object: K) -> Arc<K> {
        object.managed_fields_mut().clear();
        let object = Arc::new(object);
        let mut inner = self.write();
        if version(&*object) <= inner.watched || !inner.is_newer(&object) {
            return object;
        }
        let old = inner.insert(object.clone());
        drop(inner);
        self.tell(old.as_ref(), Some(&object));
        object
    }

    /// Notes that an object is gone after a delete of ours.
    pub(crate) fn deleted(&self, key: &ObjectKey, uid: Option<&str>) {
        let mut inner = self.write();
        let held = inner.objects.get(key).and_then(|held| held.uid());
        if held.as_deref() != uid {
            return;
        }
        let old = inner.remove(key);
        drop(inner);
        self.tell(old.as_ref(), None);
    }

    fn apply(&self, object: K) {
        let object = Arc::new(object);
        let mut inner = self.write();
        inner.watched = inner.watched.max(version(&*object));
        if !inner.is_newer(&object) {
            return;
        }
        let old = inner.insert(object.clone());
        drop(inner);
        self.tell(old.as_ref(), Some(&object));
    }

    fn remove(&self, object: &K) {
        let mut inner = self.write();
        inner.watched = inner.watched.max(version(object));
        let key = ObjectKey::of(object);
        let same = inner
            .objects
            .get(&key)
            .is_some_and(|held| held.uid() == object.uid());
        let old = same.then(|| inner.remove(&key)).flatten();
        drop(inner);
        if let Some(old) = old {
            self.tell(Some(&old), None);
        }
    }

    fn replace(&self, objects: Vec<K>) {
        let fresh: Vec<Arc<K>> = objects.into_iter().map(Arc::new).collect();
        let keep: BTreeSet<ObjectKey> = fresh
            .iter()
            .map(|object| ObjectKey::of(&**object))
            .collect();
        let mut changes = Vec::new();
        let mut inner = self.write();
        let gone: Vec<_> = inner
            .objects
            .keys()
            .filter(|key| !keep.contains(key))
            .cloned()
            .collect();
        for key in gone {
            changes.push((inner.remove(&key), None));
        }
        for object in fresh {
            inner.watched = inner.watched.max(version(&*object));
            if inner.is_newer(&object) {
                changes.push((inner.insert(object.clone()), Some(object)));
            }
        }
        drop(inner);
        for (old, new) in &changes {
            self.tell(old.as_ref(), new.as_ref());
        }
    }

    /// Whether the first list has come.
    pub(crate) async fn synced(&self) {
        // The sender lives as long as self, so that waiting cannot fail.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Nothing will ever be in here, which is known at once.
    pub(crate) fn stays_empty(&self) {
        self.synced.send_replace(true);
    }

    /// Keeps the copy current, for ever. `fields` selects objects by field.
    pub(crate) async fn follow(&self, client: Client, fields: &str) {
        let mut config = watcher::Config::default();
        if !fields.is_empty() {
            config = config.fields(fields);
        }
        let mut events = Box::pin(
            watcher(Api::<K>::all(client), config)
                .default_backoff()
                .modify(|object| object.managed_fields_mut().clear()),
        );
        let mut listed = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(object)) => listed.push(object),
                Ok(Event::InitDone) => {
                    self.replace(std::mem::take(&mut listed));
                    self.synced.send_replace(true);
                }
                Ok(Event::Apply(object)) => self.apply(object),
                Ok(Event::Delete(object)) => self.remove(&object),
                Err(error) => warn!(kind = %K::kind(&()), %error, "watch failed; will watch again"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
