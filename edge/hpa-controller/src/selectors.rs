//! What every autoscaler's target selects: to find pods that several of them claim, and whom a pod concerns.

use k8s::labels::Labels;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where an autoscaler is: namespace and name.
pub(crate) type Key = (String, String);

/// By namespace, then by the autoscaler's name.
#[derive(Debug, Default)]
pub(crate) struct Selectors(Mutex<HashMap<String, BTreeMap<String, LabelSelector>>>);

impl Selectors {
    /// Remembers what an autoscaler's target selects.
    pub(crate) fn put(&self, object: &HorizontalPodAutoscaler, selector: LabelSelector) {
        let (namespace, name) = crate::reconcile::names(object);
        let mut known = self.known();
        if let Some(there) = known.get(namespace).and_then(|names| names.get(name))
            && *there == selector
        {
            return;
        }
        let names = known.entry(namespace.to_owned()).or_default();
        names.insert(name.to_owned(), selector);
    }

    pub(crate) fn remove(&self, key: &Key) {
        let mut known = self.known();
        if let Some(names) = known.get_mut(&key.0) {
            names.remove(&key.1);
            if names.is_empty() {
                known.remove(&key.0);
            }
        }
    }

    /// The autoscalers of a namespace whose targets select pods with any of these labels, as `namespace/name`, sorted.
    pub(crate) fn picking(&self, namespace: &str, labels: &HashSet<&Labels>) -> Vec<String> {
        let known = self.known();
        let names = known.get(namespace).into_iter().flatten();
        names
            .filter(|(_, selector)| labels.iter().any(|labels| picks(selector, labels)))
            .map(|(name, _)| format!("{namespace}/{name}"))
            .collect()
    }

    /// The names of the autoscalers of a namespace whose targets select any of these.
    pub(crate) fn names(&self, namespace: &str, labels: &HashSet<Labels>) -> Vec<String> {
        let known = self.known();
        let names = known.get(namespace).into_iter().flatten();
        names
            .filter(|(_, selector)| labels.iter().any(|labels| picks(selector, labels)))
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, LabelSelector>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn picks(selector: &LabelSelector, labels: &Labels) -> bool {
    selector.matches_by(|key| labels.get(key))
}
