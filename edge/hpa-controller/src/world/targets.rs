//! Scales of the kinds that every cluster has, derived from the objects as their scale subresources would be.
//!
//! A kind is watched from when an autoscaler first names it. Not here: other kinds, whose scale is asked for.

use super::World;
use k8s::autoscaling::scale::{Known, scale};
use k8s::selector::LabelSelector;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::core::v1::ReplicationController;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector as Selector, ObjectMeta};
use kube::runtime::watcher::{self, Event, watcher as watch};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The scales of all watched kinds.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    kinds: Mutex<HashMap<Known, Kind>>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct Kind {
    synced: bool,
    scales: HashMap<Key, Scale>,
}

type Key = (String, String);

impl Targets {
    /// A scale, if its kind is watched and it is there. From the first question on the kind is watched.
    pub(crate) fn scale(&self, kind: Known, namespace: &str, name: &str) -> Option<Scale> {
        let mut kinds = self.kinds();
        let Some(kind) = kinds.get(&kind) else {
            kinds.insert(kind, Kind::default());
            self.wanted.notify_one();
            return None;
        };
        let key = (namespace.to_owned(), name.to_owned());
        kind.scales.get(&key).filter(|_| kind.synced).cloned()
    }

    /// The API's answer to a change: what the watch said before is old.
    pub(crate) fn written(&self, kind: Known, scale: Scale) {
        if let Some(kind) = self.kinds().get_mut(&kind) {
            kind.put(scale);
        }
    }

    /// What is known turned out to be old, and is not used until the watch says more.
    pub(crate) fn distrust(&self, kind: Known, namespace: &str, name: &str) {
        if let Some(kind) = self.kinds().get_mut(&kind) {
            kind.scales.remove(&(namespace.to_owned(), name.to_owned()));
        }
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<Known, Kind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, kind: Known, change: impl FnOnce(&mut Kind)) {
        if let Some(kind) = self.kinds().get_mut(&kind) {
            change(kind);
        }
    }
}

impl Kind {
    /// An event that is older than what is known, as after a change of our own, is passed over.
    fn put(&mut self, scale: Scale) {
        let key = key(&scale.metadata);
        let known = self.scales.get(&key).and_then(|s| version(&s.metadata));
        let is_old = known
            .zip(version(&scale.metadata))
            .is_some_and(|(known, new)| new < known);
        if !is_old {
            self.scales.insert(key, scale);
        }
    }
}

fn key(metadata: &ObjectMeta) -> Key {
    (
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

/// Resource versions can be compared since Kubernetes 1.35 (KEP-5504); others are taken as they come.
fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_deref()?.parse().ok()
}

/// An object with a scale.
trait Scaled {
    fn into_scale(self) -> Scale;
}

fn text(selector: &Selector) -> String {
    let value = serde_json::to_value(selector).unwrap_or_default();
    LabelSelector::from_object(&value).map_or_else(|_| String::new(), |s| s.to_string())
}

impl Scaled for Deployment {
    fn into_scale(self) -> Scale {
        let spec = self.spec.unwrap_or_default();
        let observed = self.status.and_then(|status| status.replicas);
        scale(self.metadata, spec.replicas, observed, text(&spec.selector))
    }
}

impl Scaled for ReplicaSet {
    fn into_scale(self) -> Scale {
        let spec = self.spec.unwrap_or_default();
        let observed = self.status.map(|status| status.replicas);
        scale(self.metadata, spec.replicas, observed, text(&spec.selector))
    }
}

impl Scaled for StatefulSet {
    fn into_scale(self) -> Scale {
        let spec = self.spec.unwrap_or_default();
        let observed = self.status.map(|status| status.replicas);
        scale(self.metadata, spec.replicas, observed, text(&spec.selector))
    }
}

impl Scaled for ReplicationController {
    fn into_scale(self) -> Scale {
        let spec = self.spec.unwrap_or_default();
        let observed = self.status.map(|status| status.replicas);
        let labels = spec.selector.unwrap_or_default().into_iter();
        let map = labels.map(|(key, value)| (key, value.into())).collect();
        let selector = LabelSelector::from_map(&map).to_string();
        scale(self.metadata, spec.replicas, observed, selector)
    }
}

/// Watches each kind that is wanted, until it is dropped.
pub(super) async fn keep(client: Client, world: Arc<World>) {
    let mut begun = HashSet::new();
    let mut watches = JoinSet::new();
    loop {
        let wanted = world.targets.wanted.notified();
        for kind in Known::ALL {
            let is_wanted = world.targets.kinds().contains_key(&kind);
            if is_wanted && begun.insert(kind) {
                watches.spawn(keep_kind(kind, client.clone(), Arc::clone(&world)));
            }
        }
        wanted.await;
    }
}

async fn keep_kind(kind: Known, client: Client, world: Arc<World>) {
    let targets = &world.targets;
    match kind {
        Known::Deployment => follow::<Deployment>(kind, Api::all(client), targets).await,
        Known::ReplicaSet => follow::<ReplicaSet>(kind, Api::all(client), targets).await,
        Known::StatefulSet => follow::<StatefulSet>(kind, Api::all(client), targets).await,
        Known::ReplicationController => {
            follow::<ReplicationController>(kind, Api::all(client), targets).await;
        }
    }
}

async fn follow<K>(kind: Known, api: Api<K>, targets: &Targets)
where
    K: Scaled + kube::Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let mut listed = HashSet::new();
    super::follow(
        &format!("{kind:?}s"),
        || watch(api.clone(), watcher::Config::default()),
        |event| targets.change(kind, |kind| take(kind, event, &mut listed)),
    )
    .await;
}

/// Nothing is known any more, if the event is `None`.
fn take<K: Scaled>(kind: &mut Kind, event: Option<Event<K>>, listed: &mut HashSet<Key>) {
    let Some(event) = event else {
        kind.synced = false;
        return;
    };
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(object) => {
            let scale = object.into_scale();
            let key = key(&scale.metadata);
            listed.insert(key.clone());
            // Whatever its version: the store may have begun anew.
            kind.scales.insert(key, scale);
        }
        Event::InitDone => {
            kind.scales.retain(|key, _| listed.contains(key));
            kind.synced = true;
            *listed = HashSet::new();
        }
        Event::Apply(object) => kind.put(object.into_scale()),
        Event::Delete(object) => {
            kind.scales.remove(&key(&object.into_scale().metadata));
        }
    }
}

#[cfg(test)]
mod tests;
