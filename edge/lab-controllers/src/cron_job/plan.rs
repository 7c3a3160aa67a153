//! One pass over a CronJob: which job to start, which to forget, which to delete.
//!
//! Upstream: pkg/controller/cronjob/{cronjob_controllerv2,utils}.go (v1.36).

use super::schedule::Schedule;
use crate::job::{finished, finished_at};
use crate::meta::{self, stamp};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::core::ObjectMeta;
use std::sync::Arc;

/// Upstream looks a tenth of a second after the time, so as not to be early.
const NUDGE: SignedDuration = SignedDuration::from_millis(100);
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// More missed starts than this are worth a warning.
const MANY: i64 = 100;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) told: Vec<Told>,
    pub(super) delete: Vec<Arc<Job>>,
    /// The job to start, and the time that it is for.
    pub(super) create: Option<(Box<Job>, Timestamp)>,
    pub(super) status: CronJobStatus,
    pub(super) look_again: Option<Timestamp>,
}

impl Plan {
    fn tell(&mut self, warning: bool, reason: &'static str, message: impl Into<String>) {
        self.told.push(Told {
            warning,
            reason,
            message: message.into(),
        });
    }
}

/// Decides one pass; `jobs` are those that the CronJob controls.
pub(super) fn plan(cron_job: &CronJob, jobs: &[Arc<Job>], now: Timestamp) -> Plan {
    let mut plan = Plan {
        told: Vec::new(),
        delete: Vec::new(),
        create: None,
        status: cron_job.status.clone().unwrap_or_default(),
        look_again: None,
    };
    let spec = &cron_job.spec;
    note_ends(&mut plan, jobs);
    plan.delete = outdated(spec, jobs);
    if meta::is_deleted(cron_job) || spec.suspend == Some(true) {
        return plan;
    }
    start(&mut plan, cron_job, spec, jobs, now);
    plan
}

/// Takes ended and vanished jobs off the active list.
fn note_ends(plan: &mut Plan, jobs: &[Arc<Job>]) {
    for job in jobs {
        let name = meta::name(&**job);
        let active = plan.status.active.get_or_insert_default();
        let listed = active
            .iter()
            .any(|held| held.uid.as_deref() == Some(meta::uid(&**job)));
        match finished(job) {
            Some(condition) if listed => {
                active.retain(|held| held.uid.as_deref() != Some(meta::uid(&**job)));
                let text = format!("Saw completed job: {name}, condition: {condition}");
                plan.tell(false, "SawCompletedJob", text);
                note_success(&mut plan.status, job);
            }
            // Made in a pass that could not write it down.
            None if !listed => active.push(reference(job)),
            _ => {}
        }
    }
    let there = |held: &ObjectReference| {
        jobs.iter()
            .any(|job| held.uid.as_deref() == Some(meta::uid(&**job)))
    };
    let mut missing = Vec::new();
    if let Some(active) = &mut plan.status.active {
        missing.extend(
            active
                .iter()
                .filter(|held| !there(held))
                .filter_map(|h| h.name.clone()),
        );
        active.retain(there);
    }
    for name in missing {
        plan.tell(
            false,
            "MissingJob",
            format!("Active job went missing: {name}"),
        );
    }
    if plan.status.active.as_ref().is_some_and(Vec::is_empty) {
        plan.status.active = None;
    }
}

fn note_success(status: &mut CronJobStatus, job: &Job) {
    let completed = job
        .status
        .as_ref()
        .and_then(|status| status.completion_time.clone());
    if finished(job) == Some("Complete") && completed > status.last_successful_time {
        status.last_successful_time = completed;
    }
}

/// The ended jobs beyond the history limits, oldest first.
fn outdated(spec: &CronJobSpec, jobs: &[Arc<Job>]) -> Vec<Arc<Job>> {
    let beyond = |condition: &str, limit: Option<i32>, default: i32| -> Vec<Arc<Job>> {
        let limit = usize::try_from(limit.unwrap_or(default)).unwrap_or(0);
        let mut ended: Vec<_> = jobs
            .iter()
            .filter(|job| finished(job) == Some(condition) && !meta::is_deleted(&***job))
            .cloned()
            .collect();
        ended.sort_by_key(|job| (started(job), meta::name(&**job).to_owned()));
        let excess = ended.len().saturating_sub(limit);
        ended.truncate(excess);
        ended
    };
    let mut outdated = beyond("Complete", spec.successful_jobs_history_limit, 3);
    outdated.extend(beyond("Failed", spec.failed_jobs_history_limit, 1));
    outdated
}

fn started(job: &Job) -> Option<Timestamp> {
    let start = job.status.as_ref()?.start_time.as_ref()?;
    Some(
        start
            .0
            .max(finished_at(job).unwrap_or(start.0).min(start.0)),
    )
}

fn time_zone(spec: &CronJobSpec) -> Result<TimeZone, String> {
    match &spec.time_zone {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|error| error.to_string()),
    }
}

fn start(
    plan: &mut Plan,
    cron_job: &CronJob,
    spec: &CronJobSpec,
    jobs: &[Arc<Job>],
    now: Timestamp,
) {
    let zone = match time_zone(spec) {
        Ok(zone) => zone,
        Err(error) => {
            let name = spec.time_zone.as_deref().unwrap_or_default();
            let text = format!("invalid timeZone: {name:?}: {error}");
            return plan.tell(true, "UnknownTimeZone", text);
        }
    };
    let schedule = match spec.schedule.parse::<Schedule>() {
        Ok(schedule) => schedule,
        Err(error) => {
            let text = format!("unparseable schedule: {:?} : {error}", spec.schedule);
            return plan.tell(true, "UnparseableSchedule", text);
        }
    };
    plan.look_again = schedule
        .next(now, &zone)
        .and_then(|next| next.checked_add(NUDGE).ok());
    let earliest = earliest(cron_job, spec, now);
    let Some(at) = schedule.latest(earliest, now, &zone) else {
        return;
    };
    let last = cron_job
        .status
        .as_ref()
        .and_then(|status| status.last_schedule_time.as_ref());
    if last.is_some_and(|last| last.0 >= at) {
        return;
    }
    let missed = schedule.count(earliest, now, &zone);
    if missed > MANY {
        plan.tell(true, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
    }
    if is_too_late(spec, at, now) {
        let text = format!("Missed scheduled time to start a job: {at}");
        return plan.tell(true, "MissSchedule", text);
    }
    let active: Vec<_> = jobs
        .iter()
        .filter(|job| finished(job).is_none())
        .cloned()
        .collect();
    match spec.concurrency_policy.as_deref() {
        Some("Forbid") if !active.is_empty() => {
            let text = "Not starting job because prior execution is running and concurrency policy is Forbid";
            return plan.tell(false, "JobAlreadyActive", text);
        }
        Some("Replace") => {
            plan.status.active = None;
            plan.delete.extend(active);
        }
        _ => {}
    }
    plan.create = Some((Box::new(job(cron_job, spec, at, &zone)), at));
}

/// From when on starts count: the last one, or the object's making; not before the deadline.
fn earliest(cron_job: &CronJob, spec: &CronJobSpec, now: Timestamp) -> Timestamp {
    let last = cron_job
        .status
        .as_ref()
        .and_then(|status| status.last_schedule_time.as_ref());
    let from = last.map_or_else(|| meta::created(cron_job), |last| last.0);
    let deadline = spec.starting_deadline_seconds;
    let bound = deadline.and_then(|s| now.checked_sub(SignedDuration::from_secs(s)).ok());
    bound.map_or(from, |bound| from.max(bound))
}

fn is_too_late(spec: &CronJobSpec, at: Timestamp, now: Timestamp) -> bool {
    let deadline = spec
        .starting_deadline_seconds
        .map(SignedDuration::from_secs);
    deadline
        .and_then(|deadline| at.checked_add(deadline).ok())
        .is_some_and(|late| late < now)
}

/// Upstream: getJobFromTemplate2. The name ends in the scheduled minute since the epoch.
fn job(cron_job: &CronJob, spec: &CronJobSpec, at: Timestamp, zone: &TimeZone) -> Job {
    let template = spec.job_template.metadata.clone().unwrap_or_default();
    let mut annotations = template.annotations.unwrap_or_default();
    let local = at.to_zoned(zone.clone());
    let text = if *zone == TimeZone::UTC {
        at.to_string()
    } else {
        local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    };
    annotations.insert(SCHEDULED_AT.into(), text);
    Job {
        metadata: ObjectMeta {
            name: Some(format!(
                "{}-{}",
                meta::name(cron_job),
                at.as_second().div_euclid(60)
            )),
            namespace: cron_job.metadata.namespace.clone(),
            labels: template.labels,
            annotations: Some(annotations),
            owner_references: Some(vec![meta::controller_reference(cron_job)]),
            ..ObjectMeta::default()
        },
        spec: spec.job_template.spec.clone(),
        status: None,
    }
}

fn reference(job: &Job) -> ObjectReference {
    ObjectReference {
        api_version: Some("batch/v1".into()),
        kind: Some("Job".into()),
        name: job.metadata.name.clone(),
        namespace: job.metadata.namespace.clone(),
        uid: job.metadata.uid.clone(),
        resource_version: job.metadata.resource_version.clone(),
        field_path: None,
    }
}

/// Notes the job that was started for `at`.
pub(super) fn note_start(status: &mut CronJobStatus, job: &Job, at: Timestamp) {
    status.active.get_or_insert_default().push(reference(job));
    status.last_schedule_time = Some(stamp(at));
}
