//! What a Job does next, until it completes or fails.

use super::plan::{Plan, plan};
use super::tally::{FINALIZER, Tally};
use super::{index, ttl};
use crate::fixtures::{ago, now, object, pod};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use std::sync::Arc;

fn job(spec: &Value, status: &Value) -> Job {
    let mut job = json!({
        "metadata": {"name": "batch", "namespace": "a", "uid": "job"},
        "spec": {"completions": 3, "parallelism": 2, "backoffLimit": 2, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}},
        "status": status,
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        job["spec"][key] = value;
    }
    object(job)
}

/// A pod of the job that ended in `phase` so many seconds ago, not yet counted.
fn ended(name: &str, phase: &str, seconds: i64) -> Arc<Pod> {
    let at = ago(seconds).to_string();
    let status = json!({
        "phase": phase, "conditions": [],
        "containerStatuses": [{"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 1, "finishedAt": at}}}],
    });
    pod(
        name,
        &json!({"metadata": {"finalizers": [FINALIZER]}, "status": status}),
    )
}

fn planned(job: &Job, pods: &[Arc<Pod>]) -> Plan {
    plan(job, pods, &Tally::new(job, pods), now())
}

fn conditions(plan: &Plan, pods: &[Arc<Pod>]) -> Vec<String> {
    let conditions = plan.status(pods).conditions.unwrap_or_default();
    conditions
        .into_iter()
        .map(|held| format!("{}={}", held.type_, held.status))
        .collect()
}

#[test]
fn as_many_pods_run_as_parallelism_and_what_is_left_allow() {
    assert_eq!(planned(&job(&json!({}), &json!({})), &[]).create.len(), 2);
    assert_eq!(
        planned(&job(&json!({}), &json!({"succeeded": 2})), &[])
            .create
            .len(),
        1
    );
    let running = [pod("one", &json!({}))];
    assert_eq!(
        planned(&job(&json!({}), &json!({})), &running).create.len(),
        1
    );
    let queue = job(&json!({"completions": null}), &json!({"succeeded": 1}));
    assert!(
        planned(&queue, &running).create.is_empty(),
        "a work queue takes no more"
    );
}

#[test]
fn an_end_is_noted_before_it_is_counted_and_counted_once() {
    let fresh = job(&json!({}), &json!({}));
    let pods = [ended("one", "Succeeded", 1)];
    let tally = Tally::new(&fresh, &pods);
    let noted = tally.noted(&fresh).uncounted_terminated_pods.unwrap();
    assert_eq!(noted.succeeded, Some(vec!["one".to_owned()]));
    assert_eq!(planned(&fresh, &pods).status(&pods).succeeded, Some(1));
    // Noted, but then we were interrupted: the same pod again.
    let again = job(
        &json!({}),
        &json!({"uncountedTerminatedPods": {"succeeded": ["one"]}}),
    );
    assert_eq!(planned(&again, &pods).status(&pods).succeeded, Some(1));
    assert!(Tally::new(&again, &pods).fresh.is_empty());
    // Counted, and free: it counts no more.
    let counted = job(&json!({}), &json!({"succeeded": 1}));
    let free = [pod("one", &json!({"status": {"phase": "Succeeded"}}))];
    assert_eq!(planned(&counted, &free).status(&free).succeeded, Some(1));
}

#[test]
fn failures_wait_twice_as_long_each_time() {
    let fresh = job(&json!({"backoffLimit": 6}), &json!({}));
    let once = [ended("one", "Failed", 4)];
    assert_eq!(planned(&fresh, &once).look_again, Some(ago(-6)));
    let twice = [ended("one", "Failed", 20), ended("two", "Failed", 4)];
    assert_eq!(planned(&fresh, &twice).look_again, Some(ago(-16)));
    let waited = [ended("one", "Failed", 10)];
    assert_eq!(planned(&fresh, &waited).create.len(), 2);
    let success_between = [ended("one", "Failed", 20), ended("two", "Succeeded", 5)];
    assert_eq!(planned(&fresh, &success_between).look_again, None);
}

#[test]
fn too_many_failures_end_the_job_when_its_pods_have_ended() {
    let failing = job(&json!({"backoffLimit": 0}), &json!({}));
    let pods = [ended("one", "Failed", 1), pod("two", &json!({}))];
    let first = planned(&failing, &pods);
    assert_eq!(conditions(&first, &pods), ["FailureTarget=True"]);
    assert_eq!(first.delete.len(), 1);
    let status = serde_json::to_value(first.status(&pods)).unwrap();
    let later = job(&json!({"backoffLimit": 0}), &status);
    let gone = [pod("one", &json!({"status": {"phase": "Failed"}}))];
    let last = planned(&later, &gone);
    assert_eq!(
        conditions(&last, &gone),
        ["FailureTarget=True", "Failed=True"]
    );
    assert_eq!(
        last.told[0].message,
        "Job has reached the specified backoff limit"
    );
}

#[test]
fn a_deadline_ends_the_job() {
    let start = json!({"startTime": ago(30).to_string()});
    let late = planned(&job(&json!({"activeDeadlineSeconds": 30}), &start), &[]);
    assert_eq!(
        conditions(&late, &[]),
        ["FailureTarget=True", "Failed=True"]
    );
    assert_eq!(late.told[0].reason, "DeadlineExceeded");
    let early = planned(&job(&json!({"activeDeadlineSeconds": 31}), &start), &[]);
    assert_eq!(early.look_again, Some(ago(-1)));
}

#[test]
fn restarts_count_where_the_kubelet_restarts() {
    let template = json!({"spec": {"restartPolicy": "OnFailure", "containers": []}});
    let spec = json!({"template": template, "backoffLimit": 2});
    let restarted = |count: i32| {
        let container = json!({"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": count});
        [pod(
            "one",
            &json!({"status": {"containerStatuses": [container]}}),
        )]
    };
    assert!(conditions(&planned(&job(&spec, &json!({})), &restarted(1)), &[]).is_empty());
    let plan = planned(&job(&spec, &json!({})), &restarted(2));
    assert_eq!(conditions(&plan, &[]), ["FailureTarget=True"]);
}

#[test]
fn indexes_are_read_and_printed_in_runs() {
    let indexed = job(&json!({"completionMode": "Indexed"}), &json!({}));
    for text in ["0", "0,2", "3,4", "0-2,5", "1-3,5,6,8-10"] {
        assert_eq!(
            index::print(&indexed, &index::parse(text)).as_deref(),
            Some(text)
        );
    }
    let done = index::parse("0-2,5");
    assert_eq!(index::next(8, &done, &index::parse("3"), 3), [4, 6, 7]);
}

#[test]
fn a_time_to_live_begins_at_the_end() {
    let complete = json!({"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": ago(10).to_string()}]});
    let ended = job(&json!({"ttlSecondsAfterFinished": 60}), &complete);
    assert_eq!(ttl::expiry(&ended), Some(ago(-50)));
    assert_eq!(
        ttl::expiry(&job(&json!({"ttlSecondsAfterFinished": 60}), &json!({}))),
        None
    );
}
