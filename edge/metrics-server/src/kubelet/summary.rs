//! The kubelet's `/stats/summary`, as far as it says CPU and memory.
//!
//! Upstream: k8s.io/kubelet/pkg/apis/stats/v1alpha1; metrics-server read it until v0.6.

use jiff::Timestamp;
use serde::Deserialize;
use usage::Scrape;
use usage::rate::{NEVER, Point};
use usage::scrape::Gather;

#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow)]
    node: NodeStats<'a>,
    #[serde(borrow, default)]
    pods: Vec<PodStats<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeStats<'a> {
    start_time: Option<Timestamp>,
    cpu: Option<CpuStats>,
    memory: Option<MemoryStats>,
    #[serde(borrow, rename = "nodeName")]
    _name: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStats<'a> {
    #[serde(borrow)]
    pod_ref: PodRef<'a>,
    #[serde(borrow, default)]
    containers: Vec<ContainerStats<'a>>,
}

#[derive(Deserialize)]
struct PodRef<'a> {
    name: &'a str,
    namespace: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStats<'a> {
    name: &'a str,
    start_time: Option<Timestamp>,
    cpu: Option<CpuStats>,
    memory: Option<MemoryStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CpuStats {
    time: Option<Timestamp>,
    usage_core_nano_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemoryStats {
    working_set_bytes: Option<u64>,
}

/// Reads the JSON of `/stats/summary`.
pub(crate) fn read(text: &str) -> serde_json::Result<Scrape<'_>> {
    let summary: Summary<'_> = serde_json::from_str(text)?;
    let mut gather = Gather::default();
    let node = &summary.node;
    // Upstream's node points have no start: a reboot shows as a counter that went back.
    *gather.node() = Point {
        started: NEVER,
        ..point(node.start_time, &node.cpu, &node.memory)
    };
    for pod in &summary.pods {
        for container in &pod.containers {
            *gather.point(pod.pod_ref.namespace, pod.pod_ref.name, container.name) =
                point(container.start_time, &container.cpu, &container.memory);
        }
    }
    Ok(gather.finish())
}

fn point(
    started: Option<Timestamp>,
    cpu: &Option<CpuStats>,
    memory: &Option<MemoryStats>,
) -> Point {
    let cpu = cpu.as_ref();
    Point {
        started: nanos(started),
        at: nanos(cpu.and_then(|cpu| cpu.time)),
        cpu: cpu.and_then(|cpu| cpu.usage_core_nano_seconds).unwrap_or(0),
        memory: memory
            .as_ref()
            .and_then(|memory| memory.working_set_bytes)
            .unwrap_or(0),
    }
}

fn nanos(time: Option<Timestamp>) -> i64 {
    time.and_then(|time| i64::try_from(time.as_nanosecond()).ok())
        .unwrap_or(NEVER)
}

#[cfg(test)]
mod tests;
