//! Which Jobs a CronJob starts, replaces and clears away.

use super::plan::{Plan, plan};
use crate::fixtures::{ago, now, object};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use serde_json::{Value, json};
use std::sync::Arc;

/// Every five minutes; made two minutes before noon, which is now.
fn cron_job(spec: &Value, status: &Value) -> CronJob {
    let mut cron_job = json!({
        "metadata": {"name": "batch-app", "namespace": "a", "uid": "cron", "creationTimestamp": ago(120).to_string()},
        "spec": {
            "schedule": "*/5 * * * *", "concurrencyPolicy": "Allow",
            "jobTemplate": {"metadata": {"labels": {"app": "batch"}}, "spec": {"template": {"spec": {"containers": []}}}},
        },
        "status": status,
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        cron_job["spec"][key] = value;
    }
    object(cron_job)
}

fn job(name: &str, condition: Option<&str>, started: i64) -> Arc<Job> {
    let at = ago(started).to_string();
    let conditions: Vec<Value> = condition
        .iter()
        .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": at}))
        .collect();
    Arc::new(object(json!({
        "metadata": {"name": name, "namespace": "a", "uid": name},
        "status": {"startTime": at, "completionTime": at, "conditions": conditions},
    })))
}

fn active(name: &str) -> Value {
    json!({"active": [{"name": name, "uid": name}]})
}

fn told(plan: &Plan) -> Vec<&str> {
    plan.told.iter().map(|told| told.reason).collect()
}

#[test]
fn a_job_is_named_after_its_minute_and_made_once() {
    let plan = plan(&cron_job(&json!({}), &json!({})), &[], now());
    let (job, at) = plan.create.unwrap();
    assert_eq!(at, now());
    assert_eq!(job.metadata.name.as_deref(), Some("batch-app-29454480"));
    let annotations = job.metadata.annotations.unwrap();
    assert_eq!(
        annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"],
        "2026-01-01T12:00:00Z"
    );
    assert_eq!(
        plan.look_again.unwrap().to_string(),
        "2026-01-01T12:05:00.1Z"
    );
    let last = json!({"lastScheduleTime": now().to_string()});
    assert!(
        super::plan::plan(&cron_job(&json!({}), &last), &[], now())
            .create
            .is_none()
    );
}

#[test]
fn a_running_job_forbids_or_is_replaced() {
    let running = [job("old", None, 400)];
    let forbid = plan(
        &cron_job(&json!({"concurrencyPolicy": "Forbid"}), &active("old")),
        &running,
        now(),
    );
    assert!(forbid.create.is_none());
    assert_eq!(told(&forbid), ["JobAlreadyActive"]);
    let replace = plan(
        &cron_job(&json!({"concurrencyPolicy": "Replace"}), &active("old")),
        &running,
        now(),
    );
    assert_eq!(replace.delete.len(), 1);
    assert!(replace.create.is_some());
    assert_eq!(replace.status.active, None);
}

#[test]
fn ended_jobs_are_told_of_and_only_the_last_are_kept() {
    let jobs: Vec<_> = (1..=5)
        .map(|number| {
            job(
                &format!("job-{number}"),
                Some("Complete"),
                1000 - i64::from(number),
            )
        })
        .chain([
            job("bad-1", Some("Failed"), 900),
            job("bad-2", Some("Failed"), 800),
        ])
        .collect();
    let plan = plan(
        &cron_job(&json!({"suspend": true}), &active("job-5")),
        &jobs,
        now(),
    );
    assert_eq!(
        plan.told[0].message,
        "Saw completed job: job-5, condition: Complete"
    );
    assert_eq!(plan.status.active, None);
    assert_eq!(
        plan.status.last_successful_time.map(|time| time.0),
        Some(ago(995))
    );
    let deleted: Vec<_> = plan
        .delete
        .iter()
        .map(|job| job.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(deleted, ["job-1", "job-2", "bad-1"]);
}

#[test]
fn a_start_beyond_its_deadline_is_missed() {
    let late = ago(-61);
    let cron_job = cron_job(&json!({"startingDeadlineSeconds": 60}), &json!({}));
    let plan = plan(&cron_job, &[], late);
    assert!(plan.create.is_none());
    assert!(
        plan.told.is_empty(),
        "with a deadline, what is older does not even count"
    );
}

#[test]
fn what_cannot_be_understood_is_told() {
    let odd = plan(
        &cron_job(&json!({"schedule": "often"}), &json!({})),
        &[],
        now(),
    );
    assert_eq!(told(&odd), ["UnparseableSchedule"]);
    let nowhere = plan(
        &cron_job(&json!({"timeZone": "Nowhere/Land"}), &json!({})),
        &[],
        now(),
    );
    assert_eq!(told(&nowhere), ["UnknownTimeZone"]);
}
