//! Watches of the metadata of every kind that no controller watches, as kinds come and go.

use super::Shared;
use crate::discovery::{self, Served};
use futures::StreamExt;
use kube::core::{DynamicObject, ObjectMeta, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

/// How often the kinds are asked for. Upstream: 30 s too.
const REDISCOVER: Duration = Duration::from_secs(30);
/// How long changes of definitions are gathered.
const GATHER: Duration = Duration::from_millis(50);

/// Group and kind.
type GroupKind = (String, String);

pub(super) struct Overseer {
    client: Client,
    shared: Arc<Shared>,
    /// What the shared caches tell already.
    watched: Vec<(&'static str, &'static str)>,
    kinds: Mutex<BTreeMap<GroupKind, Served>>,
    definitions: Notify,
    ready: watch::Sender<bool>,
}

impl Overseer {
    pub(super) fn new(
        client: Client,
        shared: Arc<Shared>,
        watched: Vec<(&'static str, &'static str)>,
    ) -> Self {
        Self {
            client,
            shared,
            watched,
            kinds: Mutex::default(),
            definitions: Notify::new(),
            ready: watch::Sender::new(false),
        }
    }

    fn kinds(&self) -> MutexGuard<'_, BTreeMap<GroupKind, Served>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kind as it is served.
    pub(super) fn served(&self, group: &str, kind: &str) -> Option<Served> {
        self.kinds()
            .get(&(group.to_owned(), kind.to_owned()))
            .cloned()
    }

    /// Waits until the first kinds have been listed.
    pub(super) async fn ready(&self) {
        // The sender lives as long as self, so that waiting cannot fail.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Watches what there is to watch, for ever.
    pub(super) async fn run(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        let mut running = BTreeMap::new();
        loop {
            match discovery::discover(&self.client).await {
                Ok(discovery) => {
                    for failure in &discovery.failures {
                        debug!(%failure, "part of the API could not be discovered");
                    }
                    self.follow(discovery, &mut running, &mut tasks).await;
                }
                Err(error) => warn!(%error, "could not discover the API; will try again"),
            }
            tokio::select! {
                () = tokio::time::sleep(REDISCOVER) => {}
                () = self.definitions.notified() => tokio::time::sleep(GATHER).await,
            }
        }
    }

    async fn follow(
        self: &Arc<Self>,
        discovery: discovery::Discovery,
        running: &mut BTreeMap<GroupKind, tokio::task::AbortHandle>,
        tasks: &mut JoinSet<()>,
    ) {
        let complete = discovery.failures.is_empty();
        let wanted: BTreeMap<GroupKind, Served> = discovery
            .kinds
            .into_iter()
            .map(|kind| {
                (
                    (kind.resource.group.clone(), kind.resource.kind.clone()),
                    kind,
                )
            })
            .collect();
        let mut listed = Vec::new();
        for (name, kind) in wanted
            .iter()
            .filter(|(name, kind)| self.is_followed(name, kind))
        {
            if !running.contains_key(name) {
                let (done, wait) = tokio::sync::oneshot::channel();
                let task = self.clone().watch(kind.clone(), Some(done));
                running.insert(name.clone(), tasks.spawn(task));
                listed.push(wait);
            }
        }
        if complete {
            let gone: Vec<_> = running
                .keys()
                .filter(|name| !wanted.contains_key(name))
                .cloned()
                .collect();
            for name in gone {
                if let Some(task) = running.remove(&name) {
                    task.abort();
                }
                self.forget(&name, &BTreeSet::new());
            }
        }
        self.kinds().extend(wanted);
        for wait in listed {
            // A watch that ended without a list has nothing to tell.
            let _ = tokio::time::timeout(REDISCOVER, wait).await;
        }
        self.ready.send_replace(true);
    }

    fn is_followed(&self, (group, kind): &GroupKind, served: &Served) -> bool {
        let event = kind == "Event" && (group.is_empty() || group == "events.k8s.io");
        let elsewhere = self.watched.iter().any(|(g, k)| g == group && k == kind);
        served.can("list") && served.can("watch") && served.can("delete") && !event && !elsewhere
    }

    /// Drops the items of a kind, but for those in `keep`.
    fn forget(&self, (group, kind): &GroupKind, keep: &BTreeSet<String>) {
        let held = self.shared.graph().of_kind(group, kind);
        for uid in held.iter().filter(|uid| !keep.contains(*uid)) {
            self.shared.remove(uid);
        }
    }

    async fn watch(
        self: Arc<Self>,
        kind: Served,
        mut done: Option<tokio::sync::oneshot::Sender<()>>,
    ) {
        let resource = &kind.resource;
        let name = (resource.group.clone(), resource.kind.clone());
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::all_with(self.client.clone(), resource);
        let mut events = Box::pin(watcher(api, watcher::Config::default()).default_backoff());
        let mut listed = BTreeSet::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(object)) => {
                    listed.extend(object.metadata.uid.clone());
                    self.apply(&name, &object.metadata);
                }
                Ok(Event::InitDone) => {
                    self.forget(&name, &listed);
                    if let Some(done) = done.take() {
                        // Nobody may wait any more.
                        let _ = done.send(());
                    }
                }
                Ok(Event::Apply(object)) => self.apply(&name, &object.metadata),
                Ok(Event::Delete(object)) => {
                    self.note_definition(&name);
                    self.shared
                        .remove(object.metadata.uid.as_deref().unwrap_or_default());
                }
                Err(error) => debug!(kind = name.1, %error, "watch failed; will watch again"),
            }
        }
    }

    fn apply(&self, name: &GroupKind, meta: &ObjectMeta) {
        self.note_definition(name);
        self.shared.apply(&name.0, &name.1, meta);
    }

    /// A changed definition may have changed what is served.
    fn note_definition(&self, (_, kind): &GroupKind) {
        if kind == "CustomResourceDefinition" || kind == "APIService" {
            self.definitions.notify_one();
        }
    }
}
