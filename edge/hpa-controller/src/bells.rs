//! Who is woken when pods have new samples.

use crate::kinds::Key;
use crate::reconcile::Controller;
use crate::world::Heard;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One for each autoscaler.
#[derive(Debug, Default)]
pub(crate) struct Bells(Mutex<HashMap<Key, Arc<Notify>>>);

impl Bells {
    /// A new one.
    pub(crate) fn hang(&self, key: &Key) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        self.bells().insert(key.clone(), Arc::clone(&bell));
        bell
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.bells().remove(key);
    }

    /// Rings for the autoscalers whose targets select these pods.
    pub(crate) fn ringer(
        self: &Arc<Self>,
        controller: &Arc<Controller>,
    ) -> impl Fn(&[Heard]) + Send + use<> {
        let (bells, controller) = (Arc::clone(self), Arc::clone(controller));
        move |samples| {
            let pods = samples
                .iter()
                .map(|s| (&*s.namespace, s.metrics.pod.as_str()));
            for (namespace, labels) in controller.world.pods.labels_of(pods) {
                for key in controller.selectors.keys(namespace, &labels) {
                    bells.ring(&key);
                }
            }
        }
    }

    fn ring(&self, key: &Key) {
        if let Some(bell) = self.bells().get(key) {
            bell.notify_one();
        }
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<Key, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
