//! `/metrics/resource` and `/stats/summary`: what containers use, read when it is asked for.
//!
//! Upstream: pkg/kubelet/metrics/collectors/resource_metrics.go, kubelet/pkg/apis/stats/v1alpha1.

mod number;
mod prometheus;
mod summary;

use super::{Body, text};
use crate::host::{Host, PodEntry, lock};
use crate::instance::Instance;
use crate::proc::{ProcessUsage, machine_usage};
use http::Response;
use jiff::Timestamp;
use k8s::status::ApiError;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// One container's figures.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    namespace: String,
    pod: String,
    uid: String,
    container: String,
    started_at: Timestamp,
    usage: ProcessUsage,
}

/// All figures of one moment; containers of a pod are neighbours.
#[derive(Debug, Clone, PartialEq)]
struct Snapshot {
    at: Timestamp,
    booted_at: Option<Timestamp>,
    node: ProcessUsage,
    containers: Vec<Sample>,
}

pub(super) async fn resource_metrics(host: &Arc<Host>) -> Result<Response<Body>, ApiError> {
    let body = read(host, |_, snapshot| prometheus::render(snapshot)).await?;
    Ok(text("text/plain; version=0.0.4; charset=utf-8", body))
}

pub(super) async fn summary(host: &Arc<Host>) -> Result<Response<Body>, ApiError> {
    let render = |host: &Host, snapshot: &Snapshot| {
        summary::summarize(&host.config.name, snapshot).to_string()
    };
    Ok(text("application/json", read(host, render).await?))
}

/// Reads the figures where waiting for the file system holds nobody up, and renders them.
async fn read(
    host: &Arc<Host>,
    render: impl FnOnce(&Host, &Snapshot) -> String + Send + 'static,
) -> Result<String, ApiError> {
    let host = Arc::clone(host);
    let reading = tokio::task::spawn_blocking(move || {
        let snapshot = snapshot(&host, runtime::clock::now());
        render(&host, &snapshot)
    });
    reading.await.map_err(ApiError::internal)
}

fn snapshot(host: &Host, at: Timestamp) -> Snapshot {
    let mut containers = Vec::new();
    for entry in host.pods.all() {
        let pod = entry.pod();
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        containers.extend(
            running(&entry)
                .into_iter()
                .map(|(container, instance)| Sample {
                    namespace: own(&pod.metadata.namespace),
                    pod: own(&pod.metadata.name),
                    uid: own(&pod.metadata.uid),
                    container,
                    started_at: instance.started_at,
                    usage: instance.usage(),
                }),
        );
    }
    Snapshot {
        at,
        booted_at: booted_at(&std::fs::read_to_string("/proc/stat").unwrap_or_default()),
        node: machine_usage(),
        containers,
    }
}

fn running(entry: &PodEntry) -> Vec<(String, Arc<Instance>)> {
    let containers = lock(&entry.containers);
    let current = containers
        .iter()
        .filter_map(|(name, container)| Some((name.clone(), container.current.clone()?)));
    current
        .filter(|(_, instance)| instance.running.exit().is_none())
        .collect()
}

/// The `btime` of `/proc/stat`.
fn booted_at(stat: &str) -> Option<Timestamp> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Timestamp::from_second(line.trim().parse().ok()?).ok()
}

/// Sums by pod, with one of its containers.
fn pods(containers: &[Sample]) -> Vec<(&Sample, ProcessUsage)> {
    let mut pods: Vec<(&Sample, ProcessUsage)> = Vec::new();
    for sample in containers {
        match pods.last_mut().filter(|(first, _)| first.uid == sample.uid) {
            Some((_, sum)) => {
                sum.cpu_nanos += sample.usage.cpu_nanos;
                sum.memory_bytes += sample.usage.memory_bytes;
            }
            None => pods.push((sample, sample.usage)),
        }
    }
    pods
}
