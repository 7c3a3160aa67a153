//! Workloads: groups `apps` and `batch`. Upstream: pkg/apis/{apps,batch}/v1/defaults.go.

use super::core::{claim, labels_if_none};
use super::pod;
use crate::json::{
    Object, at, child_mut, default_missing, default_zero, each_mut, empty, ensure_object,
};
use serde_json::Value;

pub(super) fn default_apps(kind: &str, object: &mut Value) {
    if kind == "ControllerRevision" {
        return;
    }
    let Some(spec) = ensure_object(object, "spec") else {
        return;
    };
    match kind {
        "Deployment" => deployment(spec),
        "ReplicaSet" => default_missing(spec, "replicas", 1),
        "StatefulSet" => stateful_set(spec),
        _ => daemon_set(spec),
    }
    pod::template(spec, "template");
}

fn deployment(spec: &mut Object) {
    default_missing(spec, "replicas", 1);
    default_missing(spec, "strategy", empty());
    if let Some(strategy) = child_mut(spec, "strategy") {
        default_zero(strategy, "type", "RollingUpdate");
        if is_rolling(strategy) {
            default_missing(strategy, "rollingUpdate", empty());
            if let Some(rolling) = child_mut(strategy, "rollingUpdate") {
                default_missing(rolling, "maxUnavailable", "25%");
                default_missing(rolling, "maxSurge", "25%");
            }
        }
    }
    default_missing(spec, "revisionHistoryLimit", 10);
    default_missing(spec, "progressDeadlineSeconds", 600);
    drop_false(spec, "paused");
}

fn daemon_set(spec: &mut Object) {
    default_missing(spec, "updateStrategy", empty());
    if let Some(strategy) = child_mut(spec, "updateStrategy") {
        default_zero(strategy, "type", "RollingUpdate");
        if is_rolling(strategy) {
            default_missing(strategy, "rollingUpdate", empty());
            if let Some(rolling) = child_mut(strategy, "rollingUpdate") {
                default_missing(rolling, "maxUnavailable", 1);
                default_missing(rolling, "maxSurge", 0);
            }
        }
    }
    default_missing(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(spec: &mut Object) {
    default_zero(spec, "podManagementPolicy", "OrderedReady");
    default_missing(spec, "updateStrategy", empty());
    if let Some(strategy) = child_mut(spec, "updateStrategy") {
        if crate::json::is_zero(strategy, "type") {
            default_missing(strategy, "rollingUpdate", empty());
        }
        default_zero(strategy, "type", "RollingUpdate");
        if is_rolling(strategy)
            && let Some(rolling) = child_mut(strategy, "rollingUpdate")
        {
            default_missing(rolling, "partition", 0);
        }
    }
    default_missing(spec, "persistentVolumeClaimRetentionPolicy", empty());
    if let Some(policy) = child_mut(spec, "persistentVolumeClaimRetentionPolicy") {
        default_zero(policy, "whenDeleted", "Retain");
        default_zero(policy, "whenScaled", "Retain");
    }
    default_missing(spec, "replicas", 1);
    default_missing(spec, "revisionHistoryLimit", 10);
    default_missing(spec, "serviceName", "");
    for template in each_mut(spec, "volumeClaimTemplates") {
        default_missing(template, "apiVersion", "v1");
        default_missing(template, "kind", "PersistentVolumeClaim");
        super::metadata(template);
        claim(template);
    }
}

pub(super) fn default_batch(kind: &str, object: &mut Value) {
    if kind == "Job" {
        job(object);
    } else {
        cron_job(object);
    }
}

/// Upstream: SetDefaults_Job.
fn job(job: &mut Value) {
    let labels = at(job, "spec.template.metadata.labels").clone();
    let Some(spec) = ensure_object(job, "spec") else {
        return;
    };
    job_counts(spec);
    default_missing(spec, "completionMode", "NonIndexed");
    default_missing(spec, "suspend", false);
    let replacement = if spec.contains_key("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    default_missing(spec, "podReplacementPolicy", replacement);
    default_missing(spec, "manualSelector", false);
    job_parts(spec);
    if let Some(object) = job.as_object_mut()
        && labels.as_object().is_some_and(|labels| !labels.is_empty())
    {
        labels_if_none(object, labels);
    }
}

fn job_counts(spec: &mut Object) {
    let given = |spec: &Object, key: &str| spec.get(key).is_some_and(|v| !v.is_null());
    if !given(spec, "completions") && !given(spec, "parallelism") {
        spec.insert("completions".to_owned(), 1.into());
    }
    default_missing(spec, "parallelism", 1);
    let limit = if given(spec, "backoffLimitPerIndex") {
        i32::MAX
    } else {
        6
    };
    default_missing(spec, "backoffLimit", limit);
}

/// The parts of a JobSpec that a CronJob's template defaults too.
fn job_parts(spec: &mut Object) {
    pod::template(spec, "template");
    if let Some(policy) = child_mut(spec, "podFailurePolicy") {
        for rule in each_mut(policy, "rules") {
            for pattern in each_mut(rule, "onPodConditions") {
                default_zero(pattern, "status", "True");
            }
        }
    }
}

/// Upstream: SetDefaults_CronJob. The Job's own defaults wait for the Job.
fn cron_job(cron_job: &mut Value) {
    let Some(spec) = ensure_object(cron_job, "spec") else {
        return;
    };
    default_zero(spec, "concurrencyPolicy", "Allow");
    default_missing(spec, "suspend", false);
    default_missing(spec, "successfulJobsHistoryLimit", 3);
    default_missing(spec, "failedJobsHistoryLimit", 1);
    default_missing(spec, "jobTemplate", empty());
    let Some(template) = child_mut(spec, "jobTemplate") else {
        return;
    };
    super::metadata(template);
    default_missing(template, "spec", empty());
    if let Some(spec) = child_mut(template, "spec") {
        job_parts(spec);
    }
}

fn is_rolling(strategy: &Object) -> bool {
    strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
}

/// A Go bool that is marked `omitempty` vanishes when it is false.
fn drop_false(object: &mut Object, key: &str) {
    if object.get(key) == Some(&Value::Bool(false)) {
        object.remove(key);
    }
}
