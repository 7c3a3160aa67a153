//! The text of `/metrics/resource`.

use super::number::{seconds, whole};
use super::{Sample, Snapshot, pods};
use crate::proc::ProcessUsage;
use std::fmt::Write;

/// A family of figures, all taken at one time, or without one.
struct Family {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    at: Option<i64>,
    /// Labels, braces included, and values.
    figures: Vec<(String, String)>,
}

const CPU: &str = "counter";
const MEMORY: &str = "gauge";

/// All families, by name as the Go library sorts them.
pub(super) fn render(snapshot: &Snapshot) -> String {
    let mut families = Vec::from(of_containers(snapshot));
    families.extend(of_node(snapshot));
    families.extend(of_pods(snapshot));
    families.extend(of_errors());
    let mut out = String::new();
    for family in &families {
        // Writing to a string cannot fail.
        let _ = family.write(&mut out);
    }
    out
}

impl Family {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self {
            name, help, kind, ..
        } = self;
        if self.figures.is_empty() {
            return Ok(());
        }
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        for (labels, value) in &self.figures {
            write!(out, "{name}{labels} {value}")?;
            if let Some(at) = self.at {
                write!(out, " {at}")?;
            }
            out.push('\n');
        }
        Ok(())
    }
}

fn of_containers(snapshot: &Snapshot) -> [Family; 3] {
    let figures = |value: &dyn Fn(&Sample) -> String| {
        let each = snapshot.containers.iter();
        each.map(|sample| (container_labels(sample), value(sample)))
            .collect()
    };
    let at = Some(snapshot.at.as_millisecond());
    let started = |sample: &Sample| u64::try_from(sample.started_at.as_nanosecond()).unwrap_or(0);
    [
        Family {
            name: "container_cpu_usage_seconds_total",
            help: "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
            kind: CPU,
            at,
            figures: figures(&|sample| seconds(sample.usage.cpu_nanos)),
        },
        Family {
            name: "container_memory_working_set_bytes",
            help: "[STABLE] Current working set of the container in bytes",
            kind: MEMORY,
            at,
            figures: figures(&|sample| whole(sample.usage.memory_bytes)),
        },
        Family {
            name: "container_start_time_seconds",
            help: "[STABLE] Start time of the container since unix epoch in seconds",
            kind: "gauge",
            at: None,
            figures: figures(&|sample| seconds(started(sample))),
        },
    ]
}

fn of_node(snapshot: &Snapshot) -> [Family; 2] {
    let figure = |value| vec![(String::new(), value)];
    let at = Some(snapshot.at.as_millisecond());
    [
        Family {
            name: "node_cpu_usage_seconds_total",
            help: "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
            kind: CPU,
            at,
            figures: figure(seconds(snapshot.node.cpu_nanos)),
        },
        Family {
            name: "node_memory_working_set_bytes",
            help: "[STABLE] Current working set of the node in bytes",
            kind: MEMORY,
            at,
            figures: figure(whole(snapshot.node.memory_bytes)),
        },
    ]
}

fn of_pods(snapshot: &Snapshot) -> [Family; 2] {
    let pods = pods(&snapshot.containers);
    let figures = |value: fn(&ProcessUsage) -> String| {
        let each = pods.iter();
        each.map(|(sample, usage)| (pod_labels(sample), value(usage)))
            .collect()
    };
    let at = Some(snapshot.at.as_millisecond());
    [
        Family {
            name: "pod_cpu_usage_seconds_total",
            help: "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
            kind: CPU,
            at,
            figures: figures(|usage| seconds(usage.cpu_nanos)),
        },
        Family {
            name: "pod_memory_working_set_bytes",
            help: "[STABLE] Current working set of the pod in bytes",
            kind: MEMORY,
            at,
            figures: figures(|usage| whole(usage.memory_bytes)),
        },
    ]
}

/// Reading the operating system's figures does not fail: what has gone has none.
fn of_errors() -> [Family; 2] {
    let none = || vec![(String::new(), "0".to_owned())];
    [
        Family {
            name: "resource_scrape_error",
            help: "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
            kind: "gauge",
            at: None,
            figures: none(),
        },
        Family {
            name: "scrape_error",
            help: "[ALPHA] (Deprecated since 1.29.0) 1 if there was an error while getting \
                   container metrics, 0 otherwise",
            kind: "gauge",
            at: None,
            figures: none(),
        },
    ]
}

/// Names of Kubernetes need no escapes.
fn container_labels(sample: &Sample) -> String {
    let Sample {
        container,
        namespace,
        pod,
        ..
    } = sample;
    format!("{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{pod}\"}}")
}

fn pod_labels(sample: &Sample) -> String {
    let Sample { namespace, pod, .. } = sample;
    format!("{{namespace=\"{namespace}\",pod=\"{pod}\"}}")
}
