//! Indexed jobs: each pod has an index, and each index must succeed once.
//!
//! Upstream: pkg/controller/job/indexed_job_utils.go (v1.36).

use crate::meta;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use std::collections::BTreeSet;

const KEY: &str = "batch.kubernetes.io/job-completion-index";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

pub(super) fn is_indexed(job: &Job) -> bool {
    let mode = job
        .spec
        .as_ref()
        .and_then(|spec| spec.completion_mode.as_deref());
    mode == Some("Indexed")
}

/// The pod's index.
pub(super) fn of(pod: &Pod) -> Option<i32> {
    meta::annotation(pod, KEY)?.parse().ok()
}

/// Reads `1,3-5`; what is not understood is left out.
pub(super) fn parse(text: &str) -> BTreeSet<i32> {
    let mut indexes = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
            indexes.extend(first..=last.min(first.saturating_add(100_000)));
        }
    }
    indexes
}

/// Prints `1,3-5` for an indexed job; two neighbours are printed as `3,4`.
pub(super) fn print(job: &Job, indexes: &BTreeSet<i32>) -> Option<String> {
    if !is_indexed(job) || indexes.is_empty() {
        return None;
    }
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for &index in indexes {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => runs.push((index, index)),
        }
    }
    let part = |(first, last): (i32, i32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    Some(runs.into_iter().map(part).collect::<Vec<_>>().join(","))
}

/// The lowest `number` indexes that are neither done nor being worked on.
pub(super) fn next(
    completions: i32,
    done: &BTreeSet<i32>,
    active: &BTreeSet<i32>,
    number: usize,
) -> Vec<i32> {
    let free = |index: &i32| !done.contains(index) && !active.contains(index);
    (0..completions).filter(free).take(number).collect()
}

/// Gives a pod its index.
pub(super) fn assign(job: &Job, pod: &mut Pod, index: i32) {
    let name = meta::name(job);
    pod.metadata.generate_name = Some(format!("{name}-{index}-"));
    pod.metadata
        .annotations
        .get_or_insert_default()
        .insert(KEY.into(), index.to_string());
    pod.metadata
        .labels
        .get_or_insert_default()
        .insert(KEY.into(), index.to_string());
    let Some(spec) = &mut pod.spec else {
        return;
    };
    spec.hostname = Some(format!("{name}-{index}"));
    let containers = spec
        .containers
        .iter_mut()
        .chain(spec.init_containers.iter_mut().flatten());
    for container in containers {
        let env = container.env.get_or_insert_default();
        if env.iter().all(|variable| variable.name != VARIABLE) {
            env.push(variable());
        }
    }
}

fn variable() -> EnvVar {
    let field_ref = ObjectFieldSelector {
        api_version: None,
        field_path: format!("metadata.labels['{KEY}']"),
    };
    EnvVar {
        name: VARIABLE.into(),
        value_from: Some(EnvVarSource {
            field_ref: Some(field_ref),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}
