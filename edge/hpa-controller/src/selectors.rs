//! What every autoscaler's target selects: to find pods that several of them claim, and whom a pod concerns.

use crate::kinds::{Key, Kind};
use k8s::labels::Labels;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kind and name; ours come last.
type Whose = (Kind, String);

/// By namespace.
#[derive(Debug, Default)]
pub(crate) struct Selectors(Mutex<HashMap<String, BTreeMap<Whose, LabelSelector>>>);

impl Selectors {
    /// Remembers what an autoscaler's target selects.
    pub(crate) fn put(
        &self,
        kind: Kind,
        object: &HorizontalPodAutoscaler,
        selector: LabelSelector,
    ) {
        let (namespace, name) = crate::reconcile::names(object);
        let whose = (kind, name.to_owned());
        let mut known = self.known();
        match known.get_mut(namespace) {
            Some(all) if all.get(&whose) == Some(&selector) => {}
            Some(all) => drop(all.insert(whose, selector)),
            None => drop(known.insert(namespace.to_owned(), [(whose, selector)].into())),
        }
    }

    pub(crate) fn remove(&self, (kind, namespace, name): &Key) {
        let mut known = self.known();
        if let Some(all) = known.get_mut(namespace) {
            all.remove(&(*kind, name.clone()));
            if all.is_empty() {
                known.remove(namespace);
            }
        }
    }

    /// The autoscalers of a namespace whose targets select pods with any of these labels, as `namespace/name`, sorted;
    /// ours last.
    pub(crate) fn picking(&self, namespace: &str, labels: &[&Labels]) -> Vec<String> {
        let found = self.find(namespace, |s| labels.iter().any(|labels| picks(s, labels)));
        let text = |(kind, _, name): Key| match kind {
            Kind::Autoscaling => format!("{namespace}/{name}"),
            Kind::Evenkeel => format!("{namespace}/{name} (evenkeel.dev)"),
        };
        found.into_iter().map(text).collect()
    }

    /// The autoscalers of a namespace whose targets select any of these.
    pub(crate) fn keys(&self, namespace: &str, labels: &HashSet<Labels>) -> Vec<Key> {
        self.find(namespace, |s| labels.iter().any(|labels| picks(s, labels)))
    }

    fn find(&self, namespace: &str, wanted: impl Fn(&LabelSelector) -> bool) -> Vec<Key> {
        let known = self.known();
        let all = known.get(namespace).into_iter().flatten();
        all.filter(|(_, selector)| wanted(selector))
            .map(|((kind, name), _)| (*kind, namespace.to_owned(), name.clone()))
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<Whose, LabelSelector>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn picks(selector: &LabelSelector, labels: &Labels) -> bool {
    selector.matches_by(|key| labels.get(key))
}
