//! Watches of pods' metrics: whoever acts on them hears of each new sample, and need not ask again and again.
//!
//! Differs from upstream, which cannot be watched. Discovery does not name the verb, as upstream's does not:
//! who lists and gets sees no difference. There are no versions to go on from: a watch begins with what there is.

use super::negotiate::{self, Form, Media};
use super::render::{Events, Include, Item};
use super::resources::{Picked, include};
use super::{Api, Reply, Wanted, body::Body, plain, query};
use crate::cluster::{Cluster, Labels};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use k8s::status::ApiError;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use usage::rate::NEVER;
use usage::{PodUsage, Store};

/// Watches at a time: each remembers what it has sent.
const WATCHES: usize = 32;
/// So long new samples are gathered before they are sent together.
const GATHER: Duration = Duration::from_millis(100);
/// How often a watch says that it lives, and looks for what is gone.
const BEAT: Duration = Duration::from_secs(5);
/// Frames that wait for a slow reader.
const FRAMES: usize = 4;
/// A reader that takes nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a watch lasts that does not say. Upstream: --min-request-timeout.
const LASTS: u64 = 1_800;

/// What watches need beyond the API.
pub(super) struct Watches {
    news: watch::Receiver<()>,
    shutdown: CancellationToken,
    slots: Arc<Semaphore>,
}

impl Watches {
    pub(super) fn new(news: watch::Receiver<()>, shutdown: CancellationToken) -> Self {
        let slots = Arc::new(Semaphore::new(WATCHES));
        Self {
            news,
            shutdown,
            slots,
        }
    }

    /// How many more there may be.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.slots.available_permits()
    }
}

impl Api {
    /// Answers with events until the time is over that the query names.
    pub(super) fn watch(
        &self,
        watches: &Watches,
        head: &Parts,
        wanted: &Wanted<'_>,
    ) -> Result<Reply, ApiError> {
        let query = head.uri.query().unwrap_or_default();
        let agreed = negotiate::objects(head)?;
        if agreed.media == Media::Yaml {
            return Err(ApiError::not_acceptable("application/json"));
        }
        let seconds = query::value(query, "timeoutSeconds").and_then(|text| text.parse().ok());
        let lasts = Duration::from_secs(seconds.filter(|s| *s > 0).unwrap_or(LASTS).min(LASTS));
        let Ok(slot) = Arc::clone(&watches.slots).try_acquire_owned() else {
            return Err(ApiError::too_many_requests(
                "too many watches of pods' metrics at a time, please try again later",
            ));
        };
        let watcher = Watcher {
            cluster: Arc::clone(&self.cluster),
            store: Arc::clone(&self.store),
            picked: Picked::new(query)?,
            namespace: wanted.namespace.to_owned(),
            form: agreed.form,
            include: include(agreed.form, query)?,
            bookmarks: query::flag(query, "allowWatchBookmarks"),
            sent: Sent::default(),
            stamp: 0,
        };
        let (out, frames) = mpsc::channel(FRAMES);
        let (news, shutdown) = (watches.news.clone(), watches.shutdown.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = watcher.run(news, &out, slot) => {}
                () = out.closed() => {}
                () = shutdown.cancelled() => {}
                () = sleep(lasts) => {}
            }
        });
        let mut reply = plain(StatusCode::OK, "application/json", Bytes::new());
        *reply.body_mut() = Body::Frames(frames);
        Ok(reply)
    }
}

/// Namespaces, and the pods in each that the reader knows of.
#[derive(Default)]
struct Sent(HashMap<Box<str>, HashSet<Box<str>>>);

impl Sent {
    /// Whether it is new.
    fn insert(&mut self, namespace: &str, name: &str) -> bool {
        match self.0.get_mut(namespace) {
            Some(names) => !names.contains(name) && names.insert(name.into()),
            None => {
                let names = HashSet::from([name.into()]);
                self.0.insert(namespace.into(), names);
                true
            }
        }
    }

    fn has(&self, namespace: &str, name: &str) -> bool {
        self.0
            .get(namespace)
            .is_some_and(|names| names.contains(name))
    }

    /// Forgets whom `stays` does not keep, and names them to it.
    fn retain(&mut self, mut stays: impl FnMut(&str, &str) -> bool) {
        self.0.retain(|namespace, names| {
            names.retain(|name| stays(namespace, name));
            !names.is_empty()
        });
    }
}

/// One watch.
struct Watcher {
    cluster: Arc<RwLock<Cluster>>,
    store: Arc<RwLock<Store>>,
    picked: Picked,
    /// Empty for all.
    namespace: String,
    form: Form,
    include: Include,
    bookmarks: bool,
    sent: Sent,
    /// Samples up to this one were sent.
    stamp: u64,
}

impl Watcher {
    async fn run(
        mut self,
        mut news: watch::Receiver<()>,
        out: &mpsc::Sender<Bytes>,
        _slot: OwnedSemaphorePermit,
    ) {
        news.mark_unchanged();
        let mut frames = self.all(true);
        let mut beats = interval_at(Instant::now() + BEAT, BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            for frame in frames {
                if !matches!(timeout(PATIENCE, out.send(frame)).await, Ok(Ok(()))) {
                    return;
                }
            }
            frames = tokio::select! {
                biased;
                _ = beats.tick() => self.all(false),
                told = news.changed() => {
                    if told.is_err() {
                        return;
                    }
                    sleep(GATHER).await;
                    news.mark_unchanged();
                    self.changes()
                }
            };
        }
    }

    fn events(&self) -> Events {
        Events::new(self.form, self.include, runtime::clock::now())
    }

    /// New samples since the last time.
    fn changes(&mut self) -> Vec<Bytes> {
        let mut events = self.events();
        let (cluster, store) = (Arc::clone(&self.cluster), Arc::clone(&self.store));
        let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
        let store = store.read().unwrap_or_else(PoisonError::into_inner);
        for (namespace, name) in store.changed_after(self.stamp) {
            if let Some((labels, usage)) = self.served((&cluster, &store), namespace, name) {
                let is_new = self.sent.insert(namespace, name);
                let kind = if is_new { "ADDED" } else { "MODIFIED" };
                events.event(kind, &Item::pod(namespace, name, labels, &usage));
            }
        }
        self.stamp = store.stamp();
        events.finish()
    }

    /// What there is that was not sent, and what was sent that is no more; then a bookmark.
    fn all(&mut self, first: bool) -> Vec<Bytes> {
        let mut events = self.events();
        let (cluster, store) = (Arc::clone(&self.cluster), Arc::clone(&self.store));
        let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
        let store = store.read().unwrap_or_else(PoisonError::into_inner);
        let mut sent = std::mem::take(&mut self.sent);
        sent.retain(|namespace, name| {
            let stays = self.served((&cluster, &store), namespace, name).is_some();
            if !stays {
                events.event(
                    "DELETED",
                    &Item::pod(namespace, name, &Labels::default(), &GONE),
                );
            }
            stays
        });
        self.sent = sent;
        let namespace = (!self.namespace.is_empty()).then_some(self.namespace.clone());
        for (namespace, name, _) in cluster.pods(namespace.as_deref()) {
            if self.sent.has(namespace, name) {
                continue;
            }
            if let Some((labels, usage)) = self.served((&cluster, &store), namespace, name) {
                self.sent.insert(namespace, name);
                events.event("ADDED", &Item::pod(namespace, name, labels, &usage));
            }
        }
        if first {
            self.stamp = store.stamp();
        }
        if self.bookmarks {
            events.bookmark(self.stamp, first);
        }
        events.finish()
    }

    /// A pod's labels and metrics, if they are wanted and there are any.
    fn served<'a>(
        &self,
        (cluster, store): (&'a Cluster, &'a Store),
        namespace: &str,
        name: &str,
    ) -> Option<(&'a Labels, PodUsage<'a>)> {
        let here = self.namespace.is_empty() || self.namespace == namespace;
        let labels = cluster.pod(namespace, name).filter(|_| here)?;
        let usage = self.picked.matches(namespace, name, labels);
        Some((labels, usage.then(|| store.pod(namespace, name)).flatten()?))
    }
}

/// What is said of a pod without metrics.
const GONE: PodUsage<'static> = PodUsage {
    at: NEVER,
    window: 0,
    containers: Vec::new(),
};
