//! `/metrics/resource` and `/stats/summary`: what containers use, read when it is asked for.
//!
//! Upstream: pkg/kubelet/metrics/collectors/resource_metrics.go, kubelet/pkg/apis/stats/v1alpha1.

use super::{Body, text};
use crate::host::Host;
use crate::proc::{ProcessUsage, machine_usage};
use http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write;

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

/// All figures of one moment.
#[derive(Debug, Clone, PartialEq)]
struct Snapshot {
    at: Timestamp,
    node: ProcessUsage,
    containers: Vec<Sample>,
}

pub(super) fn resource_metrics(host: &Host) -> Response<Body> {
    let snapshot = snapshot(host, runtime::clock::now());
    text(
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        render(&snapshot),
    )
}

pub(super) fn summary(host: &Host) -> Response<Body> {
    let snapshot = snapshot(host, runtime::clock::now());
    text(
        "application/json",
        summarize(&host.config.name, &snapshot).to_string(),
    )
}

fn snapshot(host: &Host, at: Timestamp) -> Snapshot {
    let mut containers = Vec::new();
    for entry in host.pods.all() {
        let pod = entry.pod();
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let running: Vec<_> = {
            let entries = crate::host::lock(&entry.containers);
            let instances = entries
                .iter()
                .filter_map(|(n, e)| Some((n.clone(), e.current.clone()?)));
            instances
                .filter(|(_, i)| i.running.exit().is_none())
                .collect()
        };
        for (container, instance) in running {
            containers.push(Sample {
                namespace: own(&pod.metadata.namespace),
                pod: own(&pod.metadata.name),
                uid: own(&pod.metadata.uid),
                container,
                started_at: instance.started_at,
                usage: instance.usage(),
            });
        }
    }
    Snapshot {
        at,
        node: machine_usage(),
        containers,
    }
}

/// The text format, families in alphabetical order as the Go library writes them.
fn render(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let at = snapshot.at.as_millisecond();
    let containers = &snapshot.containers;
    let labels = |s: &Sample| {
        format!(
            "{{container=\"{}\",namespace=\"{}\",pod=\"{}\"}}",
            s.container, s.namespace, s.pod
        )
    };
    family(
        &mut out,
        "container_cpu_usage_seconds_total",
        "Cumulative cpu time consumed by the container in core-seconds",
        "counter",
    );
    for sample in containers {
        line(
            &mut out,
            "container_cpu_usage_seconds_total",
            &labels(sample),
            seconds(sample.usage.cpu_nanos),
            Some(at),
        );
    }
    family(
        &mut out,
        "container_memory_working_set_bytes",
        "Current working set of the container in bytes",
        "gauge",
    );
    for sample in containers {
        line(
            &mut out,
            "container_memory_working_set_bytes",
            &labels(sample),
            number(sample.usage.memory_bytes),
            Some(at),
        );
    }
    family(
        &mut out,
        "container_start_time_seconds",
        "Start time of the container since unix epoch in seconds",
        "gauge",
    );
    for sample in containers {
        let started = u64::try_from(sample.started_at.as_nanosecond()).unwrap_or_default();
        line(
            &mut out,
            "container_start_time_seconds",
            &labels(sample),
            seconds(started),
            None,
        );
    }
    family(
        &mut out,
        "node_cpu_usage_seconds_total",
        "Cumulative cpu time consumed by the node in core-seconds",
        "counter",
    );
    line(
        &mut out,
        "node_cpu_usage_seconds_total",
        "",
        seconds(snapshot.node.cpu_nanos),
        Some(at),
    );
    family(
        &mut out,
        "node_memory_working_set_bytes",
        "Current working set of the node in bytes",
        "gauge",
    );
    line(
        &mut out,
        "node_memory_working_set_bytes",
        "",
        number(snapshot.node.memory_bytes),
        Some(at),
    );
    render_pods(&mut out, snapshot);
    for (name, stability) in [
        ("resource_scrape_error", "STABLE"),
        ("scrape_error", "ALPHA"),
    ] {
        let help = "1 if there was an error while getting container metrics, 0 otherwise";
        let deprecated = if stability == "ALPHA" {
            "(Deprecated since 1.29.0) "
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "# HELP {name} [{stability}] {deprecated}{help}\n# TYPE {name} gauge"
        );
        line(&mut out, name, "", "0".to_owned(), None);
    }
    out
}

fn render_pods(out: &mut String, snapshot: &Snapshot) {
    let at = Some(snapshot.at.as_millisecond());
    let pods = pods(&snapshot.containers);
    let labels = |s: &Sample| format!("{{namespace=\"{}\",pod=\"{}\"}}", s.namespace, s.pod);
    family(
        out,
        "pod_cpu_usage_seconds_total",
        "Cumulative cpu time consumed by the pod in core-seconds",
        "counter",
    );
    for (first, usage) in &pods {
        line(
            out,
            "pod_cpu_usage_seconds_total",
            &labels(first),
            seconds(usage.cpu_nanos),
            at,
        );
    }
    family(
        out,
        "pod_memory_working_set_bytes",
        "Current working set of the pod in bytes",
        "gauge",
    );
    for (first, usage) in &pods {
        line(
            out,
            "pod_memory_working_set_bytes",
            &labels(first),
            number(usage.memory_bytes),
            at,
        );
    }
}

/// Sums by pod, with one of its containers; containers of a pod are neighbours.
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

fn family(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} [STABLE] {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: String, at: Option<i64>) {
    let _ = match at {
        Some(at) => writeln!(out, "{name}{labels} {value} {at}"),
        None => writeln!(out, "{name}{labels} {value}"),
    };
}

/// Nanoseconds as seconds, in Go's shortest form that reads back equal.
fn seconds(nanos: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "float64, as upstream")]
    let seconds = nanos as f64 / 1e9;
    go_float(seconds)
}

fn number(value: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "float64, as upstream")]
    let value = value as f64;
    go_float(value)
}

/// Go's `strconv.FormatFloat(f, 'g', -1, 64)`: an exponent from 21 digits on in Go's own printing, but
/// from the precision's own digits with `g`; the text format's library switches at 1e+06 this way:
/// shortest digits, exponent when it is below -4 or at least the number of digits and over 20.
fn go_float(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let Ok(power) = exponent.parse::<i32>() else {
        return scientific;
    };
    // %e is used if the exponent is less than -4 or at least the precision; the shortest form's
    // precision counts as at most 21.
    if (-4..21).contains(&power) {
        return format!("{value}");
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

fn summarize(node: &str, snapshot: &Snapshot) -> Value {
    let at = format!("{:.0}", snapshot.at);
    let stats = |usage: ProcessUsage| {
        (
            json!({"time": at, "usageCoreNanoSeconds": usage.cpu_nanos}),
            json!({"time": at, "workingSetBytes": usage.memory_bytes}),
        )
    };
    let pods: Vec<Value> = pods(&snapshot.containers)
        .into_iter()
        .map(|(first, sum)| {
            let containers = snapshot.containers.iter().filter(|c| c.uid == first.uid);
            let containers: Vec<Value> = containers
                .map(|c| {
                    let (cpu, memory) = stats(c.usage);
                    json!({"name": c.container, "startTime": format!("{:.0}", c.started_at), "cpu": cpu, "memory": memory})
                })
                .collect();
            let (cpu, memory) = stats(sum);
            json!({
                "podRef": {"name": first.pod, "namespace": first.namespace, "uid": first.uid},
                "startTime": format!("{:.0}", first.started_at),
                "containers": containers, "cpu": cpu, "memory": memory,
            })
        })
        .collect();
    let (cpu, memory) = stats(snapshot.node);
    json!({"node": {"nodeName": node, "startTime": at, "cpu": cpu, "memory": memory}, "pods": pods})
}
