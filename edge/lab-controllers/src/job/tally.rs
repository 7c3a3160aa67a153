//! How many pods have ended, counted exactly once each.
//!
//! Upstream: job_controller.go, trackJobStatusAndRemoveFinalizers (v1.36): an end is first noted by
//! uid in the status, then the pod's finalizer goes, then the note becomes a number.

use super::index;
use crate::meta;
use crate::pods;
use k8s_openapi::api::batch::v1::{Job, JobStatus, UncountedTerminatedPods};
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

pub(super) fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == FINALIZER)
}

/// Whether the pod has failed; one that is being deleted counts, for it may never say so.
pub(super) fn has_failed(job: &Job, pod: &Pod) -> bool {
    let patient = job
        .spec
        .as_ref()
        .and_then(|spec| spec.pod_replacement_policy.as_deref());
    match pods::phase(pod) {
        "Failed" => true,
        "Succeeded" => false,
        _ => patient != Some("Failed") && meta::is_deleted(pod),
    }
}

pub(super) fn has_succeeded(pod: &Pod) -> bool {
    pods::phase(pod) == "Succeeded"
}

/// The ends of a job's pods.
pub(super) struct Tally {
    succeeded: BTreeSet<String>,
    failed: BTreeSet<String>,
    before: (i32, i32),
    /// Ends that are not in the status yet.
    pub(super) fresh: BTreeSet<String>,
    /// Pods whose end is noted and that may go.
    pub(super) to_free: Vec<Arc<Pod>>,
    /// The indexes that are done, of an indexed job.
    pub(super) indexes: BTreeSet<i32>,
}

impl Tally {
    pub(super) fn new(job: &Job, pods: &[Arc<Pod>]) -> Self {
        let status = job.status.clone().unwrap_or_default();
        let noted = status.uncounted_terminated_pods.unwrap_or_default();
        let mut tally = Self {
            succeeded: noted.succeeded.into_iter().flatten().collect(),
            failed: noted.failed.into_iter().flatten().collect(),
            before: (status.succeeded.unwrap_or(0), status.failed.unwrap_or(0)),
            fresh: BTreeSet::new(),
            to_free: Vec::new(),
            indexes: index::parse(status.completed_indexes.as_deref().unwrap_or_default()),
        };
        for pod in pods.iter().filter(|pod| has_finalizer(pod)) {
            tally.take(job, pod);
        }
        tally
    }

    fn take(&mut self, job: &Job, pod: &Arc<Pod>) {
        let uid = meta::uid(&**pod).to_owned();
        let known = self.succeeded.contains(&uid) || self.failed.contains(&uid);
        if !known {
            if has_succeeded(pod) {
                self.succeeded.insert(uid.clone());
                self.indexes.extend(index::of(pod));
            } else if has_failed(job, pod) {
                self.failed.insert(uid.clone());
            } else {
                return;
            }
            self.fresh.insert(uid);
        }
        self.to_free.push(pod.clone());
    }

    /// All pods that have succeeded; of an indexed job, all indexes.
    pub(super) fn succeeded(&self, job: &Job) -> i32 {
        if index::is_indexed(job) {
            return count(self.indexes.len());
        }
        self.before.0 + count(self.succeeded.len())
    }

    /// All pods that have failed.
    pub(super) fn failed(&self) -> i32 {
        self.before.1 + count(self.failed.len())
    }

    /// Whether a failure has just been learnt of.
    pub(super) fn has_new_failure(&self) -> bool {
        self.fresh.iter().any(|uid| self.failed.contains(uid))
    }

    /// The status with the ends noted but not yet counted.
    pub(super) fn noted(&self, job: &Job) -> JobStatus {
        let list = |uids: &BTreeSet<String>| {
            (!uids.is_empty()).then(|| uids.iter().cloned().collect::<Vec<_>>())
        };
        JobStatus {
            uncounted_terminated_pods: Some(UncountedTerminatedPods {
                succeeded: list(&self.succeeded),
                failed: list(&self.failed),
            }),
            completed_indexes: index::print(job, &self.indexes),
            ..job.status.clone().unwrap_or_default()
        }
    }
}

pub(super) fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
