//! Jobs and CronJobs.

use crate::lab::Lab;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

fn spec(exit: i32) -> Value {
    json!({
        "backoffLimit": 0,
        "template": {
            "metadata": {"annotations": {"exit": exit.to_string()}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "batch"}]},
        },
    })
}

fn job(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})
}

async fn ended(lab: &Lab, name: &str, condition: &str) -> anyhow::Result<Job> {
    lab.eventually(&format!("{name} to be {condition}"), || async {
        let job = lab.api::<Job>().get(name).await?;
        let conditions = job
            .status
            .as_ref()
            .and_then(|status| status.conditions.clone());
        let has = conditions
            .into_iter()
            .flatten()
            .any(|held| held.type_ == condition);
        Ok(has.then_some(job))
    })
    .await
}

fn types(job: &Job) -> Vec<String> {
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone());
    let text = |c: k8s_openapi::api::batch::v1::JobCondition| {
        format!("{} {} {}", c.type_, c.status, c.reason.unwrap_or_default())
    };
    conditions.into_iter().flatten().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_its_completions_and_ends() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut spec = spec(0);
    spec["completions"] = json!(3);
    spec["parallelism"] = json!(2);
    lab.create::<Job>(job("batch", &spec)).await?;
    let job = ended(&lab, "batch", "Complete").await?;
    assert_eq!(
        types(&job),
        [
            "SuccessCriteriaMet True CompletionsReached",
            "Complete True CompletionsReached"
        ]
    );
    let status = job.status.unwrap_or_default();
    assert_eq!(
        (status.succeeded, status.failed, status.active),
        (Some(3), None, None)
    );
    assert!(status.completion_time.is_some());
    let pods = lab.list::<Pod>().await?;
    assert_eq!(pods.len(), 3, "ended pods stay");
    assert!(pods.iter().all(|pod| pod.metadata.finalizers.is_none()));
    lab.eventually("the events", || async {
        let events = lab.events("batch").await?;
        Ok(events
            .contains(&"Completed Job completed".to_owned())
            .then_some(()))
    })
    .await?;
    lab.delete::<Job>("batch").await?;
    lab.eventually("no pods", || async {
        Ok(lab.list::<Pod>().await?.is_empty().then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_too_often_says_why() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Job>(job("batch", &spec(3))).await?;
    let job = ended(&lab, "batch", "Failed").await?;
    assert_eq!(
        types(&job),
        [
            "FailureTarget True BackoffLimitExceeded",
            "Failed True BackoffLimitExceeded"
        ]
    );
    let status = job.status.unwrap_or_default();
    assert_eq!((status.succeeded, status.failed), (None, Some(1)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexed_job_completes_each_index_once() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut spec = spec(0);
    spec["completions"] = json!(4);
    spec["parallelism"] = json!(2);
    spec["completionMode"] = json!("Indexed");
    lab.create::<Job>(job("batch", &spec)).await?;
    let status = ended(&lab, "batch", "Complete")
        .await?
        .status
        .unwrap_or_default();
    assert_eq!(
        (status.succeeded, status.completed_indexes.as_deref()),
        (Some(4), Some("0-3"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_time_to_live_goes_after_it() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut spec = spec(0);
    spec["ttlSecondsAfterFinished"] = json!(0);
    lab.create::<Job>(job("batch", &spec)).await?;
    lab.eventually("no job and no pods", || async {
        let left = lab.list::<Job>().await?.len() + lab.list::<Pod>().await?.len();
        Ok((left == 0).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_job_stops_and_resumes() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut spec = spec(0);
    spec["suspend"] = json!(true);
    lab.create::<Job>(job("batch", &spec)).await?;
    ended(&lab, "batch", "Suspended").await?;
    assert!(lab.list::<Pod>().await?.is_empty());
    lab.merge::<Job>("batch", json!({"spec": {"suspend": false}}))
        .await?;
    ended(&lab, "batch", "Complete").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_starts_jobs_and_keeps_the_last() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<CronJob>(json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": {"schedule": "@every 1s", "successfulJobsHistoryLimit": 1,
                 "jobTemplate": {"spec": spec(0)}},
    }))
    .await?;
    lab.eventually("a completed job", || async {
        let events = lab.events("tick").await?;
        let done = events.iter().any(|event| {
            event.starts_with("SawCompletedJob Saw completed job: tick-")
                && event.ends_with(", condition: Complete")
        });
        let status = lab
            .api::<CronJob>()
            .get("tick")
            .await?
            .status
            .unwrap_or_default();
        let successful = status.last_successful_time.is_some();
        Ok((done && successful && status.last_schedule_time.is_some()).then_some(()))
    })
    .await
}
