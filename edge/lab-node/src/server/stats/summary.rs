//! The JSON of `/stats/summary`, as far as it says CPU and memory.

use super::{Sample, Snapshot, pods};
use crate::proc::ProcessUsage;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn summarize(node: &str, snapshot: &Snapshot) -> Value {
    let Snapshot { at, containers, .. } = snapshot;
    let pods: Vec<Value> = pods(containers)
        .into_iter()
        .map(|(first, sum)| {
            let own = containers.iter().filter(|c| c.uid == first.uid);
            let started = own.clone().map(|c| c.started_at).min();
            json!({
                "podRef": {"name": first.pod, "namespace": first.namespace, "uid": first.uid},
                "startTime": started.map(time),
                "containers": own.map(|c| container(c, *at)).collect::<Vec<_>>(),
                "cpu": cpu(sum, *at),
                "memory": memory(sum, *at),
            })
        })
        .collect();
    json!({
        "node": {
            "nodeName": node,
            "startTime": snapshot.booted_at.map(time),
            "cpu": cpu(snapshot.node, *at),
            "memory": memory(snapshot.node, *at),
        },
        "pods": pods,
    })
}

fn container(sample: &Sample, at: Timestamp) -> Value {
    json!({
        "name": sample.container,
        "startTime": time(sample.started_at),
        "cpu": cpu(sample.usage, at),
        "memory": memory(sample.usage, at),
    })
}

fn cpu(usage: ProcessUsage, at: Timestamp) -> Value {
    json!({"time": time(at), "usageCoreNanoSeconds": usage.cpu_nanos})
}

fn memory(usage: ProcessUsage, at: Timestamp) -> Value {
    json!({"time": time(at), "workingSetBytes": usage.memory_bytes})
}

/// To the nanosecond where upstream's type has seconds: whoever divides a counter by whole seconds
/// of a short time gets it wrong by half.
fn time(at: Timestamp) -> String {
    at.to_string()
}
