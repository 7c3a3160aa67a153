//! One pass over a DaemonSet: which pods to make and to delete, and its status.
//!
//! Upstream: pkg/controller/daemon/{daemon_controller,update}.go (v1.36).

use super::place::{self, Fit};
use crate::deployment::plan::scaled;
use crate::meta;
use crate::pods;
use crate::replica_set::nonzero;
use crate::revisions::LABEL;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetStatus};
use k8s_openapi::api::core::v1::{Node, Pod};
use std::sync::Arc;

/// A DaemonSet with all nodes and its own pods.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) set: &'a DaemonSet,
    /// The hash of the template's revision.
    pub(super) hash: &'a str,
    pub(super) nodes: Vec<Arc<Node>>,
    pub(super) pods: Vec<Arc<Pod>>,
}

/// One write.
#[derive(Debug)]
pub(super) enum Step {
    Create(Box<Pod>),
    Delete(Arc<Pod>),
}

/// The hash of the pod's revision.
pub(super) fn hash(pod: &Pod) -> Option<&str> {
    pod.metadata.labels.as_ref()?.get(LABEL).map(String::as_str)
}

impl View<'_> {
    fn min_ready_seconds(&self) -> i32 {
        self.set
            .spec
            .as_ref()
            .and_then(|spec| spec.min_ready_seconds)
            .unwrap_or(0)
    }

    /// A pod of the set, for no node yet.
    fn pod(&self) -> Pod {
        let template = self
            .set
            .spec
            .as_ref()
            .map(|spec| spec.template.clone())
            .unwrap_or_default();
        let mut pod = pods::from_template(&template, self.set);
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(LABEL.into(), self.hash.to_owned());
        let generation = self.set.metadata.generation.unwrap_or(0).to_string();
        labels.insert("pod-template-generation".into(), generation);
        place::tolerate(pod.spec.get_or_insert_default());
        pod
    }

    /// Each node with its fit, and the pods of the set there that are not being deleted.
    fn places(&self) -> Vec<(&Node, Fit, Vec<&Arc<Pod>>)> {
        let blank = self.pod();
        let place = |node| {
            let name = meta::name::<Node>(node);
            let alive = self.pods.iter().filter(|pod| !meta::is_deleted(&***pod));
            let here = alive
                .filter(|pod| place::node_of(pod) == Some(name))
                .collect();
            (node, place::fit(&blank, node), here)
        };
        self.nodes.iter().map(|node| place(&**node)).collect()
    }

    fn is_leaving(&self, node: &str) -> bool {
        let leaving = self.pods.iter().filter(|pod| meta::is_deleted(&***pod));
        leaving
            .into_iter()
            .any(|pod| place::node_of(pod) == Some(node))
    }
}

/// Decides one pass.
pub(super) fn steps(view: &View<'_>, now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for (node, fit, here) in view.places() {
        let name = meta::name(node);
        let (ended, alive): (Vec<_>, Vec<_>) =
            here.into_iter().partition(|pod| pods::is_finished(pod));
        steps.extend(ended.into_iter().map(|pod| Step::Delete(pod.clone())));
        let keep = usize::from(fit.stay);
        let mut oldest_first = alive.clone();
        oldest_first.sort_by_key(|pod| meta::created(&***pod));
        let surplus = oldest_first.into_iter().skip(keep);
        steps.extend(surplus.map(|pod| Step::Delete(pod.clone())));
        if fit.run && alive.is_empty() && !view.is_leaving(name) {
            let mut pod = view.pod();
            place::pin(pod.spec.get_or_insert_default(), name);
            steps.push(Step::Create(Box::new(pod)));
        }
    }
    if steps.is_empty() {
        steps = update(view, now);
    }
    steps
}

/// Replaces pods of older revisions, as many at a time as may be unavailable.
fn update(view: &View<'_>, now: Timestamp) -> Vec<Step> {
    let strategy = view
        .set
        .spec
        .as_ref()
        .and_then(|spec| spec.update_strategy.as_ref());
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
        return Vec::new();
    }
    let places = view.places();
    let wanted = places.iter().filter(|(_, fit, _)| fit.run).count();
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let limit = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    let total = i32::try_from(wanted).unwrap_or(i32::MAX);
    let limit = limit
        .map_or(1, |limit| scaled(Some(limit), total, true))
        .max(1);
    let seconds = view.min_ready_seconds();
    let well = |pod: &&&Arc<Pod>| pods::is_available(pod, seconds, now);
    let mut unavailable = 0;
    let mut candidates = Vec::new();
    let mut steps = Vec::new();
    for (_, _, here) in places.iter().filter(|(_, fit, _)| fit.run) {
        let old = here.iter().find(|pod| hash(pod) != Some(view.hash));
        let available = here.iter().any(|pod| well(&pod));
        unavailable += i32::from(!available);
        match old {
            // Nobody misses it.
            Some(old) if !available => steps.push(Step::Delete((*old).clone())),
            Some(old) => candidates.push((*old).clone()),
            None => {}
        }
    }
    let room = usize::try_from(limit - unavailable).unwrap_or(0);
    steps.extend(candidates.into_iter().take(room).map(Step::Delete));
    steps
}

/// Upstream: updateDaemonSetStatus.
pub(super) fn status(view: &View<'_>, now: Timestamp) -> DaemonSetStatus {
    let seconds = view.min_ready_seconds();
    let (mut desired, mut current, mut wrong) = (0, 0, 0);
    let (mut ready, mut available, mut updated) = (0, 0, 0);
    for (_, fit, mut here) in view.places() {
        here.retain(|pod| !pods::is_finished(pod));
        here.sort_by_key(|pod| meta::created(&***pod));
        let first = here.first();
        if !fit.run {
            wrong += i32::from(first.is_some());
            continue;
        }
        desired += 1;
        let Some(pod) = first else {
            continue;
        };
        current += 1;
        ready += i32::from(pods::is_ready(pod));
        available += i32::from(pods::is_available(pod, seconds, now));
        updated += i32::from(hash(pod) == Some(view.hash));
    }
    let old = view.set.status.clone().unwrap_or_default();
    DaemonSetStatus {
        current_number_scheduled: current,
        desired_number_scheduled: desired,
        number_misscheduled: wrong,
        number_ready: ready,
        number_available: nonzero(available),
        number_unavailable: nonzero(desired - available),
        updated_number_scheduled: nonzero(updated),
        observed_generation: view.set.metadata.generation,
        collision_count: old.collision_count,
        conditions: old.conditions,
    }
}

/// When the next ready pod becomes available, if that is still to come.
pub(super) fn next_availability(view: &View<'_>, now: Timestamp) -> Option<Timestamp> {
    let seconds = view.min_ready_seconds();
    let pods = view.pods.iter().filter(|pod| !meta::is_deleted(&***pod));
    pods.filter_map(|pod| pods::available_at(pod, seconds))
        .filter(|at| *at > now)
        .min()
}
