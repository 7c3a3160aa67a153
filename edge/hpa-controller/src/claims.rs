//! Which targets autoscalers of autoscaling/v2 have, whoever serves them: what they have, ours leave alone.
//!
//! Not here: what becomes of ours then (`standby`).

use crate::kinds::{Autoscaler, Key};
use crate::reconcile::names;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::runtime::watcher::Event;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is scaled: namespace, group, kind and name. The version does not matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scaled([String; 4]);

impl Scaled {
    pub(crate) fn of(object: &HorizontalPodAutoscaler) -> Self {
        let (namespace, _) = names(object);
        let target = &object.spec.scale_target_ref;
        let version = target.api_version.as_deref().unwrap_or_default();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        Self([namespace, group, &target.kind, &target.name].map(str::to_owned))
    }
}

/// Whose claims changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// Those of these targets.
    Some(Vec<Scaled>),
    /// All: only now they are known.
    All,
}

/// All targets with who claims them.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether all were listed once.
    known: bool,
    /// Who was seen in the list that is being read.
    listed: Option<HashSet<Key>>,
    by: BTreeMap<Key, Scaled>,
    of: BTreeMap<Scaled, BTreeSet<String>>,
    /// Ours that stand by.
    yielding: HashSet<Key>,
}

impl Claims {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what became of an autoscaler of autoscaling/v2.
    pub(crate) fn hear(&self, event: &Event<Autoscaler>) -> Changed {
        let mut state = self.state();
        match event {
            Event::Init => {
                state.listed = Some(HashSet::new());
                Changed::Some(Vec::new())
            }
            Event::InitApply(object) => {
                if let Some(listed) = &mut state.listed {
                    listed.insert(object.key());
                }
                Changed::Some(state.put(object))
            }
            Event::InitDone => {
                let listed = state.listed.take().unwrap_or_default();
                let gone: Vec<Key> = state
                    .by
                    .keys()
                    .filter(|k| !listed.contains(*k))
                    .cloned()
                    .collect();
                let changed = gone.iter().flat_map(|key| state.remove(key)).collect();
                if std::mem::replace(&mut state.known, true) {
                    Changed::Some(changed)
                } else {
                    Changed::All
                }
            }
            Event::Apply(object) => Changed::Some(state.put(object)),
            Event::Delete(object) => Changed::Some(state.remove(&object.key())),
        }
    }

    /// The names of those that have this target; `None` while they are not known yet.
    pub(crate) fn holders(&self, object: &HorizontalPodAutoscaler) -> Option<Vec<String>> {
        let state = self.state();
        let holders = || state.of.get(&Scaled::of(object)).into_iter().flatten();
        state.known.then(|| holders().cloned().collect())
    }

    /// One of ours stands by.
    pub(crate) fn stands_by(&self, key: Key) {
        self.state().yielding.insert(key);
    }

    /// Whether one of ours stood by until now.
    pub(crate) fn stood_by(&self, key: &Key) -> bool {
        self.state().yielding.contains(key)
    }

    /// One of ours acts, or is gone.
    pub(crate) fn acts(&self, key: &Key) {
        self.state().yielding.remove(key);
    }
}

impl State {
    /// Gives the targets that have other holders now.
    fn put(&mut self, object: &Autoscaler) -> Vec<Scaled> {
        let (key, target) = (object.key(), Scaled::of(object));
        if self.by.get(&key) == Some(&target) {
            return Vec::new();
        }
        let mut changed = self.remove(&key);
        let name = key.2.clone();
        self.of.entry(target.clone()).or_default().insert(name);
        self.by.insert(key, target.clone());
        changed.push(target);
        changed
    }

    fn remove(&mut self, key: &Key) -> Vec<Scaled> {
        let Some(target) = self.by.remove(key) else {
            return Vec::new();
        };
        if let Some(names) = self.of.get_mut(&target) {
            names.remove(&key.2);
            if names.is_empty() {
                self.of.remove(&target);
            }
        }
        vec![target]
    }
}

#[cfg(test)]
mod tests;
