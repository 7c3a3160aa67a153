//! A job's conditions.

use crate::meta::stamp;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};

/// The type of the condition that ended the job: `Complete` or `Failed`.
pub(crate) fn finished(job: &Job) -> Option<&'static str> {
    let is = |kind: &str| get(job, kind).is_some_and(|condition| condition.status == "True");
    ["Complete", "Failed"].into_iter().find(|kind| is(kind))
}

/// When the job ended.
pub(crate) fn finished_at(job: &Job) -> Option<Timestamp> {
    let condition = get(job, finished(job)?)?;
    condition.last_transition_time.as_ref().map(|time| time.0)
}

pub(super) fn get<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    job.status.as_ref().and_then(|status| of(status, kind))
}

pub(super) fn of<'a>(status: &'a JobStatus, kind: &str) -> Option<&'a JobCondition> {
    status
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == kind)
}

/// Sets a condition; says whether that changed its status.
pub(super) fn set(
    status: &mut JobStatus,
    kind: &str,
    value: bool,
    (reason, message): (&str, &str),
    now: Timestamp,
) -> bool {
    let value = if value { "True" } else { "False" };
    if of(status, kind).is_some_and(|held| held.status == value) {
        return false;
    }
    let conditions = status.conditions.get_or_insert_default();
    conditions.retain(|held| held.type_ != kind);
    conditions.push(JobCondition {
        type_: kind.to_owned(),
        status: value.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(stamp(now)),
        last_transition_time: Some(stamp(now)),
    });
    true
}
