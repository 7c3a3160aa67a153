//! One pass over a job: has it ended, which pods to make and to delete, what to say.
//!
//! Upstream: pkg/controller/job/job_controller.go, syncJob and manageJob (v1.36).

use super::tally::{FINALIZER, Tally, count};
use super::{backoff, conditions, index};
use crate::meta::{self, stamp};
use crate::pods;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus, UncountedTerminatedPods};
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeSet;
use std::sync::Arc;

const COMPLETE: (&str, &str) = (
    "CompletionsReached",
    "Reached expected number of succeeded pods",
);
const TOO_MANY_FAILURES: (&str, &str) = (
    "BackoffLimitExceeded",
    "Job has reached the specified backoff limit",
);
const TOO_LATE: (&str, &str) = (
    "DeadlineExceeded",
    "Job was active longer than specified deadline",
);

/// The most pods that one pass makes. Upstream: MaxPodCreateDeletePerSync.
const BURST: usize = 500;

/// Something to tell of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) create: Vec<Pod>,
    pub(super) delete: Vec<Arc<Pod>>,
    pub(super) told: Vec<Told>,
    /// When time alone changes the answer.
    pub(super) look_again: Option<Timestamp>,
    status: JobStatus,
    ended: bool,
}

impl Plan {
    /// The status once the plan was carried out, with `owned` as the pods that there are then.
    pub(super) fn status(&self, owned: &[Arc<Pod>]) -> JobStatus {
        let active: Vec<_> = owned.iter().filter(|pod| pods::is_active(pod)).collect();
        let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
        let terminating = owned.iter().filter(|pod| pods::is_terminating(pod)).count();
        let active = count(active.len());
        JobStatus {
            active: (active != 0).then_some(active),
            ready: Some(if self.ended { 0 } else { count(ready) }),
            terminating: Some(count(terminating)),
            ..self.status.clone()
        }
    }
}

struct Work<'a> {
    job: &'a Job,
    spec: &'a JobSpec,
    tally: &'a Tally,
    /// Pods that run or wait to.
    active: Vec<Arc<Pod>>,
    /// Pods that have not ended, though their deletion may have begun.
    unfinished: usize,
    plan: Plan,
}

/// Decides one pass over a job that has not ended.
pub(super) fn plan(job: &Job, pods: &[Arc<Pod>], tally: &Tally, now: Timestamp) -> Plan {
    let blank = JobSpec::default();
    let mut work = Work {
        job,
        spec: job.spec.as_ref().unwrap_or(&blank),
        tally,
        active: pods
            .iter()
            .filter(|pod| pods::is_active(pod))
            .cloned()
            .collect(),
        unfinished: pods.iter().filter(|pod| !pods::is_finished(pod)).count(),
        plan: Plan {
            create: Vec::new(),
            delete: Vec::new(),
            told: Vec::new(),
            look_again: None,
            status: counted(job, tally),
            ended: false,
        },
    };
    if meta::is_deleted(job) {
        return work.plan;
    }
    work.note_suspension(now);
    work.note_start(now);
    if let Some(why) = work.failure(pods, now) {
        work.fail(why, now);
    } else if work.is_complete() {
        work.complete(now);
    } else {
        work.resize(pods, now);
    }
    work.plan
}

/// The status with every end counted; the notes are no longer needed once the finalizers are off.
fn counted(job: &Job, tally: &Tally) -> JobStatus {
    let nonzero = |number: i32| (number != 0).then_some(number);
    JobStatus {
        succeeded: nonzero(tally.succeeded(job)),
        failed: nonzero(tally.failed()),
        completed_indexes: index::print(job, &tally.indexes),
        uncounted_terminated_pods: Some(UncountedTerminatedPods::default()),
        ..job.status.clone().unwrap_or_default()
    }
}

impl Work<'_> {
    fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    fn tell(&mut self, warning: bool, reason: &'static str, message: &str) {
        self.plan.told.push(Told {
            warning,
            reason,
            message: message.to_owned(),
        });
    }

    fn note_suspension(&mut self, now: Timestamp) {
        let status = &mut self.plan.status;
        if self.spec.suspend == Some(true) {
            let why = ("JobSuspended", "Job suspended");
            if conditions::set(status, "Suspended", true, why, now) {
                status.start_time = None;
                self.tell(false, "Suspended", why.1);
            }
        } else if conditions::of(status, "Suspended").is_some() {
            let why = ("JobResumed", "Job resumed");
            if conditions::set(status, "Suspended", false, why, now) {
                status.start_time = Some(stamp(now));
                self.tell(false, "Resumed", why.1);
            }
        }
    }

    fn note_start(&mut self, now: Timestamp) {
        if !self.is_suspended() {
            self.plan
                .status
                .start_time
                .get_or_insert_with(|| stamp(now));
        }
    }

    /// Why the job has failed, if it has.
    fn failure(&mut self, pods: &[Arc<Pod>], now: Timestamp) -> Option<(&'static str, String)> {
        let own = |(reason, message): (&'static str, &str)| Some((reason, message.to_owned()));
        if let Some(target) = conditions::get(self.job, "FailureTarget") {
            // Decided in an earlier pass; only the pods' ends were waited for.
            let late = target.reason.as_deref() == Some(TOO_LATE.0);
            let reason = if late { TOO_LATE } else { TOO_MANY_FAILURES };
            return own(reason);
        }
        if conditions::get(self.job, "SuccessCriteriaMet").is_some() {
            return None;
        }
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if self.tally.has_new_failure() && self.tally.failed() > limit
            || self.restarts_exceed(limit, pods)
        {
            return own(TOO_MANY_FAILURES);
        }
        let deadline = self.deadline()?;
        if deadline <= now {
            return own(TOO_LATE);
        }
        self.plan.look_again = Some(deadline);
        None
    }

    fn deadline(&self) -> Option<Timestamp> {
        let seconds = self.spec.active_deadline_seconds?;
        let start = self
            .plan
            .status
            .start_time
            .as_ref()
            .filter(|_| !self.is_suspended())?;
        start.0.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    /// Where the kubelet restarts containers, their restarts count. Upstream:
    /// pastBackoffLimitOnFailure.
    fn restarts_exceed(&self, limit: i32, pods: &[Arc<Pod>]) -> bool {
        let template = self.spec.template.spec.as_ref();
        if template.and_then(|spec| spec.restart_policy.as_deref()) != Some("OnFailure") {
            return false;
        }
        let alive = pods.iter().filter(|pod| pods::is_active(pod));
        let restarts: i32 = alive.map(|pod| pods::restarts(pod)).sum();
        if limit == 0 {
            restarts > 0
        } else {
            restarts >= limit
        }
    }

    fn fail(&mut self, (reason, message): (&'static str, String), now: Timestamp) {
        let why = (reason, message.as_str());
        conditions::set(&mut self.plan.status, "FailureTarget", true, why, now);
        if self.drain() {
            conditions::set(&mut self.plan.status, "Failed", true, why, now);
            self.plan.ended = true;
            self.tell(true, reason, &message);
        }
    }

    fn is_complete(&self) -> bool {
        let succeeded = self.tally.succeeded(self.job);
        match self.spec.completions {
            Some(wanted) => succeeded >= wanted,
            // A work queue: one success means that the work is done, and the others end by
            // themselves.
            None => succeeded > 0 && self.active.is_empty(),
        }
    }

    fn complete(&mut self, now: Timestamp) {
        let status = &mut self.plan.status;
        conditions::set(status, "SuccessCriteriaMet", true, COMPLETE, now);
        if self.drain() {
            let status = &mut self.plan.status;
            conditions::set(status, "Complete", true, COMPLETE, now);
            status.completion_time = Some(stamp(now));
            self.plan.ended = true;
            self.tell(false, "Completed", "Job completed");
        }
    }

    /// Deletes what still runs; whether nothing does.
    fn drain(&mut self) -> bool {
        self.plan.delete = std::mem::take(&mut self.active);
        self.plan.look_again = None;
        self.unfinished == 0
    }

    fn resize(&mut self, pods: &[Arc<Pod>], now: Timestamp) {
        let active = self.active.len();
        let wanted = self.wanted(active);
        if active > wanted {
            // Those that have come the least far go first.
            self.active.sort_by_key(|pod| {
                (
                    pods::node_name(pod).is_some(),
                    pods::is_ready(pod),
                    -meta::created(&**pod).as_second(),
                )
            });
            self.active.truncate(active - wanted);
            self.plan.delete = std::mem::take(&mut self.active);
        } else if active < wanted {
            match backoff::until(self.job, pods, now) {
                Some(at) => {
                    let sooner = self.plan.look_again.map_or(at, |other| other.min(at));
                    self.plan.look_again = Some(sooner);
                }
                None => self.create((wanted - active).min(BURST)),
            }
        }
    }

    fn wanted(&self, active: usize) -> usize {
        if self.is_suspended() {
            return 0;
        }
        let size = |number: i32| usize::try_from(number).unwrap_or(0);
        let parallelism = size(self.spec.parallelism.unwrap_or(1));
        let succeeded = self.tally.succeeded(self.job);
        match self.spec.completions {
            Some(completions) => parallelism.min(size(completions - succeeded)),
            None if succeeded > 0 => active.min(parallelism),
            None => parallelism,
        }
    }

    fn create(&mut self, number: usize) {
        let mut pod = pods::from_template(&self.spec.template, self.job);
        pod.metadata
            .finalizers
            .get_or_insert_default()
            .push(FINALIZER.into());
        if !index::is_indexed(self.job) {
            self.plan.create = vec![pod; number];
            return;
        }
        let busy: BTreeSet<i32> = self
            .active
            .iter()
            .filter_map(|pod| index::of(pod))
            .collect();
        let completions = self.spec.completions.unwrap_or(0);
        let indexes = index::next(completions, &self.tally.indexes, &busy, number);
        let with_index = |index| {
            let mut pod = pod.clone();
            index::assign(self.job, &mut pod, index);
            pod
        };
        self.plan.create = indexes.into_iter().map(with_index).collect();
    }
}
