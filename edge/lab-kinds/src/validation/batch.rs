//! Jobs and CronJobs. Upstream: pkg/apis/batch/validation.

use super::check::Check;
use super::workloads::matches_template;
use super::{cron, pods, selectors};
use crate::json::{at, flag, has, int, text};
use k8s::selector::LabelSelector;
use serde_json::Value;

const CRON_JOB_NAME: usize = 52;

pub(super) fn job(check: &mut Check, job: &Value, old: Option<&Value>) {
    let spec = at(job, "spec");
    if old.is_none() {
        generated_selector(check, job);
    }
    job_spec(check, spec, "spec");
    let selector = at(spec, "selector");
    if selector.is_null() {
        check.required("spec.selector", "");
    } else {
        selectors::selector(check, selector, "spec.selector");
        if let Ok(parsed) = LabelSelector::from_object(selector) {
            matches_template(check, &parsed, at(spec, "template"), "spec.template");
        }
    }
    if let Some(old) = old {
        job_update(check, at(old, "spec"), spec);
    }
}

fn job_update(check: &mut Check, old: &Value, new: &Value) {
    if text(new, "completionMode") != "Indexed" {
        check.immutable(
            "spec.completions",
            at(old, "completions"),
            at(new, "completions"),
        );
    }
    check.immutable("spec.selector", at(old, "selector"), at(new, "selector"));
    // A suspended Job that has not begun may still be told where to run; the lab allows the whole
    // template to change then.
    if !(flag(old, "suspend") && flag(new, "suspend")) {
        check.immutable("spec.template", at(old, "template"), at(new, "template"));
    }
    for key in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        check.immutable(&format!("spec.{key}"), at(old, key), at(new, key));
    }
}

/// The labels that the server adds to a Job's pods. Upstream: validateGeneratedSelector.
fn generated_selector(check: &mut Check, job: &Value) {
    if flag(job, "spec.manualSelector") || !has(job, "spec.selector") {
        return;
    }
    let (name, uid) = (text(job, "metadata.name"), text(job, "metadata.uid"));
    let labels = at(job, "spec.template.metadata.labels");
    let expected = [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ];
    for (key, value) in expected {
        let field = format!("spec.template.metadata.labels[{key}]");
        match labels.get(key).and_then(Value::as_str) {
            None => check.required(field, &format!("must be '{value}'")),
            Some(found) if found != value => {
                check.invalid(field, labels, format!("must be '{value}'"));
            }
            Some(_) => {}
        }
    }
    let label = |key: &str| {
        expected
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| *value)
    };
    if let Ok(selector) = LabelSelector::from_object(at(job, "spec.selector"))
        && !selector.matches_by(label)
    {
        check.invalid(
            "spec.selector",
            at(job, "spec.selector"),
            "`selector` not auto-generated",
        );
    }
}

fn job_spec(check: &mut Check, spec: &Value, path: &str) {
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        check.not_negative(spec, key, path);
    }
    completion_mode(check, spec, path);
    pods::template(
        check,
        at(spec, "template"),
        &[],
        &format!("{path}.template"),
    );
    let field = format!("{path}.template.spec.restartPolicy");
    match text(spec, "template.spec.restartPolicy") {
        "Always" | "" => check.required(field, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if has(spec, "podFailurePolicy") => check.invalid_text(
            field,
            "OnFailure",
            "only \"Never\" is supported when podFailurePolicy is specified",
        ),
        policy => check.one_of(field, policy, &["OnFailure", "Never"]),
    }
}

fn completion_mode(check: &mut Check, spec: &Value, path: &str) {
    match text(spec, "completionMode") {
        "Indexed" if int(spec, "completions").is_none() => {
            check.required(
                format!("{path}.completions"),
                "when completion mode is Indexed",
            );
        }
        "Indexed" => {}
        "" | "NonIndexed" => {
            for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if has(spec, key) {
                    let words = "requires indexed completion mode";
                    check.invalid(format!("{path}.{key}"), at(spec, key), words);
                }
            }
        }
        other => {
            check.one_of(
                format!("{path}.completionMode"),
                other,
                &["NonIndexed", "Indexed"],
            );
        }
    }
}

pub(super) fn cron_job(check: &mut Check, cron_job: &Value, old: Option<&Value>) {
    let spec = at(cron_job, "spec");
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        check.required("spec.schedule", "");
    } else {
        if let Err(why) = cron::check(schedule) {
            check.invalid_text("spec.schedule", schedule, why);
        }
        if schedule.contains("TZ") {
            check.invalid_text(
                "spec.schedule",
                schedule,
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
            );
        }
    }
    check.not_negative(spec, "startingDeadlineSeconds", "spec");
    time_zone(check, at(spec, "timeZone"));
    check.one_of_required(
        "spec.concurrencyPolicy".to_owned(),
        text(spec, "concurrencyPolicy"),
        &["Allow", "Forbid", "Replace"],
    );
    cron_job_template(check, at(spec, "jobTemplate.spec"));
    for key in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        check.not_negative(spec, key, "spec");
    }
    let name = text(cron_job, "metadata.name");
    if old.is_none() && name.len() > CRON_JOB_NAME {
        check.invalid_text("metadata.name", name, "must be no more than 52 characters");
    }
}

fn cron_job_template(check: &mut Check, spec: &Value) {
    job_spec(check, spec, "spec.jobTemplate.spec");
    if flag(spec, "manualSelector") {
        check.extend(vec![k8s::status::FieldError::not_supported(
            "spec.jobTemplate.spec.manualSelector",
            &true.into(),
            &["nil", "false"],
        )]);
    }
}

fn time_zone(check: &mut Check, zone: &Value) {
    let Some(name) = zone.as_str() else { return };
    if name.is_empty() {
        check.invalid(
            "spec.timeZone",
            zone,
            "timeZone must be nil or non-empty string",
        );
    } else if name.eq_ignore_ascii_case("local") {
        check.invalid(
            "spec.timeZone",
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    } else if jiff::tz::TimeZone::get(name).is_err() {
        check.invalid("spec.timeZone", zone, format!("unknown time zone {name}"));
    }
}
