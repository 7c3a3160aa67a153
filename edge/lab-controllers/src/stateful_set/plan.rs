//! One pass over a StatefulSet: which pods to make and to delete.
//!
//! Upstream: stateful_set_control.go, updateStatefulSet (v1.36).

use super::identity::{self, ordinal, revision};
use crate::meta;
use crate::pods;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The two revisions that pods may have.
#[derive(Debug)]
pub(super) struct Revisions {
    pub(super) current: Arc<ControllerRevision>,
    pub(super) update: Arc<ControllerRevision>,
}

/// One write.
#[derive(Debug)]
pub(super) enum Step {
    Create(Box<Pod>),
    Delete(Arc<Pod>),
}

struct Work<'a> {
    set: &'a StatefulSet,
    revisions: &'a Revisions,
    pods: BTreeMap<i32, Arc<Pod>>,
    /// The ordinals that there should be.
    wanted: std::ops::Range<i32>,
    /// Whether each pod waits for the one before.
    ordered: bool,
    now: Timestamp,
    steps: Vec<Step>,
}

/// Decides one pass.
pub(super) fn steps(
    set: &StatefulSet,
    revisions: &Revisions,
    owned: &[Arc<Pod>],
    now: Timestamp,
) -> Vec<Step> {
    let spec = set.spec.clone().unwrap_or_default();
    let start = spec
        .ordinals
        .and_then(|ordinals| ordinals.start)
        .unwrap_or(0);
    let by_ordinal = owned
        .iter()
        .filter_map(|pod| Some((ordinal(set, pod)?, pod.clone())));
    let mut work = Work {
        set,
        revisions,
        pods: by_ordinal.collect(),
        wanted: start..start.saturating_add(spec.replicas.unwrap_or(1)),
        ordered: spec.pod_management_policy.as_deref() != Some("Parallel"),
        now,
        steps: Vec::new(),
    };
    if work.fill() && work.shrink() {
        work.update();
    }
    work.steps
}

/// The ordinals below which pods keep the current revision.
pub(super) fn partition(set: &StatefulSet) -> i32 {
    let strategy = set
        .spec
        .as_ref()
        .and_then(|spec| spec.update_strategy.as_ref());
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    rolling.and_then(|rolling| rolling.partition).unwrap_or(0)
}

/// Whether the controller replaces pods of older revisions.
pub(super) fn is_rolling(set: &StatefulSet) -> bool {
    let strategy = set
        .spec
        .as_ref()
        .and_then(|spec| spec.update_strategy.as_ref());
    strategy.and_then(|strategy| strategy.type_.as_deref()) != Some("OnDelete")
}

impl Work<'_> {
    fn is_healthy(&self, pod: &Pod) -> bool {
        let seconds = self
            .set
            .spec
            .as_ref()
            .and_then(|spec| spec.min_ready_seconds)
            .unwrap_or(0);
        pods::is_active(pod) && pods::is_available(pod, seconds, self.now)
    }

    fn revision_for(&self, ordinal: i32) -> &ControllerRevision {
        let old = is_rolling(self.set) && ordinal < self.wanted.start + partition(self.set);
        if old {
            &self.revisions.current
        } else {
            &self.revisions.update
        }
    }

    /// Makes the missing pods; false if something is still under way.
    fn fill(&mut self) -> bool {
        let mut settled = true;
        for ordinal in self.wanted.clone() {
            let healthy = match self.pods.get(&ordinal) {
                None => {
                    let pod = identity::pod(self.set, self.revision_for(ordinal), ordinal);
                    self.steps
                        .extend(pod.map(|pod| Step::Create(Box::new(pod))));
                    false
                }
                Some(pod) if pods::is_finished(pod) => {
                    // It is made anew once it has gone.
                    if !meta::is_deleted(&**pod) {
                        self.steps.push(Step::Delete(pod.clone()));
                    }
                    false
                }
                Some(pod) => self.is_healthy(pod),
            };
            settled &= healthy;
            if self.ordered && !healthy {
                return false;
            }
        }
        settled || !self.ordered
    }

    /// Deletes what is beyond the replicas, the highest first; false if that is under way.
    fn shrink(&mut self) -> bool {
        let beyond: Vec<_> = self
            .pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| !self.wanted.contains(ordinal))
            .map(|(_, pod)| pod.clone())
            .collect();
        for pod in &beyond {
            if !meta::is_deleted(&**pod) {
                self.steps.push(Step::Delete(pod.clone()));
            }
            if self.ordered {
                return false;
            }
        }
        beyond.is_empty()
    }

    /// Replaces one pod of an older revision, the highest first, when all above it are well.
    fn update(&mut self) {
        if !is_rolling(self.set) {
            return;
        }
        let first = self.wanted.start + partition(self.set);
        let update = meta::name(&*self.revisions.update);
        for ordinal in (first..self.wanted.end).rev() {
            let Some(pod) = self.pods.get(&ordinal) else {
                return;
            };
            if revision(pod) != Some(update) && !meta::is_deleted(&**pod) {
                self.steps.push(Step::Delete(pod.clone()));
                return;
            }
            if !self.is_healthy(pod) {
                return;
            }
        }
    }
}
