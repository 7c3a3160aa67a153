//! All pods, reduced to what decisions take; those with equal labels stand together, so that a selector is compared
//! with each set of labels once, not with each pod.

use hpa::{Phase, Pod};
use k8s::autoscaling::observe as wire;
use k8s::autoscaling::ownership::{self, Kin};
use k8s::labels::{Interner, Labels};
use k8s::selector::LabelSelector;
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::runtime::watcher::{self, Event, watcher as watch};
use kube::{Api, Client};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Where a pod is: namespace and name.
type PodKey = (Box<str>, Box<str>);

/// A pod that a selector picks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) pod: Arc<Pod>,
    pub(crate) labels: Labels,
    /// Who controls it.
    pub(crate) owner: Option<Arc<OwnerReference>>,
}

impl Candidate {
    /// Of a pod as the API has it.
    pub(crate) fn of(object: &v1::Pod) -> Self {
        let metadata = &object.metadata;
        Self {
            pod: Arc::new(wire::pod(object)),
            labels: Labels::new(metadata.labels.clone().unwrap_or_default()),
            owner: ownership::controller(metadata).cloned().map(Arc::new),
        }
    }

    /// Shares what is the same as in another pod: replicas of a workload are alike.
    fn like(mut self, other: &Self) -> Self {
        if self.pod.containers == other.pod.containers {
            let containers = Arc::clone(&other.pod.containers);
            Arc::make_mut(&mut self.pod).containers = containers;
        }
        if self.owner == other.owner {
            self.owner.clone_from(&other.owner);
        }
        self
    }

    fn name(&self) -> &str {
        &self.pod.name
    }

    /// As far as it tells whose it is.
    pub(crate) fn kin(&self) -> Kin<'_> {
        Kin {
            name: &self.pod.name,
            finished: matches!(self.pod.phase, Phase::Succeeded | Phase::Failed),
            controller: self.owner.as_deref(),
        }
    }
}

/// The pods, once they are known.
#[derive(Debug, Default)]
pub(crate) struct Pods(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    namespaces: HashMap<Box<str>, Namespace>,
    interner: Interner,
    synced: bool,
}

#[derive(Debug, Default)]
struct Namespace {
    /// Where each pod stands.
    labels: HashMap<Box<str>, Labels>,
    /// Of each label set its pods, by name.
    groups: HashMap<Labels, Vec<Arc<Candidate>>>,
}

impl Pods {
    /// The pods of a namespace that a selector picks, by name; `None` while they are not known.
    pub(crate) fn picked(
        &self,
        namespace: &str,
        selector: &LabelSelector,
    ) -> Option<Vec<Arc<Candidate>>> {
        let state = self.read();
        if !state.synced {
            return None;
        }
        let mut picked: Vec<Arc<Candidate>> = Vec::new();
        let groups = state.namespaces.get(namespace).into_iter();
        for (labels, pods) in groups.flat_map(|namespace| &namespace.groups) {
            if selector.matches_by(|key| labels.get(key)) {
                picked.extend(pods.iter().cloned());
            }
        }
        picked.sort_by(|a, b| a.name().cmp(b.name()));
        Some(picked)
    }

    /// The labels of these pods, each set once for a namespace.
    pub(crate) fn labels_of<'a>(
        &self,
        pods: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> HashMap<&'a str, HashSet<Labels>> {
        let state = self.read();
        let mut found: HashMap<&str, HashSet<Labels>> = HashMap::new();
        for (namespace, name) in pods {
            let known = state.namespaces.get(namespace);
            if let Some(labels) = known.and_then(|namespace| namespace.labels.get(name)) {
                let sets = found.entry(namespace).or_default();
                if !sets.contains(labels) {
                    sets.insert(labels.clone());
                }
            }
        }
        found
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, object: &v1::Pod) {
        let mut candidate = Candidate::of(object);
        candidate.labels = self.interner.keep(candidate.labels);
        let (namespace, name) = key(object);
        let namespace = self.namespaces.entry(namespace).or_default();
        namespace.remove(&name);
        let labels = candidate.labels.clone();
        namespace.labels.insert(name, labels.clone());
        let group = namespace.groups.entry(labels).or_default();
        if let Some(other) = group.first() {
            candidate = candidate.like(other);
        }
        let place = place(group, candidate.name());
        group.insert(place.unwrap_or_else(|free| free), Arc::new(candidate));
    }

    fn remove(&mut self, namespace: &str, name: &str) {
        if let Some(there) = self.namespaces.get_mut(namespace) {
            there.remove(name);
            if there.labels.is_empty() {
                self.namespaces.remove(namespace);
            }
        }
    }

    /// Forgets whoever was not listed.
    fn retain(&mut self, listed: &HashSet<PodKey>) {
        let known = self.namespaces.iter().flat_map(|(namespace, there)| {
            let names = there.labels.keys();
            names.map(|name| (namespace.clone(), name.clone()))
        });
        let gone: Vec<_> = known.filter(|key| !listed.contains(key)).collect();
        for (namespace, name) in gone {
            self.remove(&namespace, &name);
        }
    }
}

impl Namespace {
    fn remove(&mut self, name: &str) {
        let Some(labels) = self.labels.remove(name) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&labels) {
            if let Ok(there) = place(group, name) {
                group.remove(there);
            }
            if group.is_empty() {
                self.groups.remove(&labels);
            }
        }
    }
}

/// Where a pod is in its group, or would be.
fn place(group: &[Arc<Candidate>], name: &str) -> Result<usize, usize> {
    group.binary_search_by(|candidate| candidate.name().cmp(name))
}

fn key(object: &v1::Pod) -> PodKey {
    let metadata = &object.metadata;
    (
        metadata.namespace.as_deref().unwrap_or_default().into(),
        metadata.name.as_deref().unwrap_or_default().into(),
    )
}

/// Watches until it is dropped.
pub(super) async fn keep(client: Client, pods: &Pods) {
    let api: Api<v1::Pod> = Api::all(client);
    let mut listed = HashSet::new();
    super::follow(
        "pods",
        || watch(api.clone(), watcher::Config::default()),
        |event| take(&mut pods.write(), event, &mut listed),
    )
    .await;
}

/// Nothing is known any more, if the event is `None`.
fn take(state: &mut State, event: Option<Event<v1::Pod>>, listed: &mut HashSet<PodKey>) {
    let Some(event) = event else {
        state.synced = false;
        return;
    };
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(pod) => {
            listed.insert(key(&pod));
            state.put(&pod);
        }
        Event::InitDone => {
            state.retain(listed);
            state.synced = true;
            *listed = HashSet::new();
        }
        Event::Apply(pod) => state.put(&pod),
        Event::Delete(pod) => {
            let (namespace, name) = key(&pod);
            state.remove(&namespace, &name);
        }
    }
}

#[cfg(test)]
mod tests;
