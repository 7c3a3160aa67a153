//! A Job's selector is made for it. Upstream: generateSelector in pkg/registry/batch/job.

use crate::json::{at, default_missing, ensure_object, flag, object_mut, text};
use serde_json::Value;

/// Labels that a Job's pods carry, old names first.
const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];
/// Labels with the Job's uid.
const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

pub(super) fn prepare_create(job: &mut Value) {
    if flag(job, "spec.manualSelector") {
        return;
    }
    let name = text(job, "metadata.name").to_owned();
    let uid = text(job, "metadata.uid").to_owned();
    if let Some(labels) = ensure_object(job, "spec.template.metadata.labels") {
        for key in NAME_LABELS {
            labels.entry(key).or_insert_with(|| name.clone().into());
        }
        for key in UID_LABELS {
            labels.entry(key).or_insert_with(|| uid.clone().into());
        }
    }
    if let Some(selector) = ensure_object(job, "spec.selector.matchLabels") {
        selector.entry(UID_LABELS[1]).or_insert_with(|| uid.into());
    }
    // Upstream does this whenever it reads a Job from its store.
    let labels = at(job, "spec.template.metadata.labels").clone();
    if let Some(metadata) = object_mut(job, "metadata") {
        default_missing(metadata, "labels", labels);
    }
}
