//! Pods: readiness, the reason that STATUS shows, restarts. Upstream: printPod.

use super::{age, moment, name, or};
use crate::json::{at, flag, has, int, items, text};
use jiff::Timestamp;
use serde_json::Value;

/// What the containers' states add up to.
#[derive(Debug, Default)]
struct Tally {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let tally = tally(pod);
    let restarts = match tally.last_restart {
        Some(last) if tally.restarts != 0 => {
            format!("{} ({} ago)", tally.restarts, super::since(last, now))
        }
        _ => tally.restarts.to_string(),
    };
    let address = items(pod, "status.podIPs")
        .first()
        .map_or("", |ip| text(ip, "ip"));
    vec![
        name(pod),
        format!("{}/{}", tally.ready, tally.total).into(),
        tally.reason.into(),
        restarts.into(),
        age(pod, now),
        or(address, "<none>").into(),
        or(text(pod, "spec.nodeName"), "<none>").into(),
        or(text(pod, "status.nominatedNodeName"), "<none>").into(),
        gates(pod).into(),
    ]
}

fn tally(pod: &Value) -> Tally {
    let sidecars = items(pod, "spec.initContainers")
        .iter()
        .filter(|c| is_sidecar(c))
        .count();
    let mut tally = Tally {
        reason: first_reason(pod),
        total: items(pod, "spec.containers").len() + sidecars,
        ..Tally::default()
    };
    let (initializing, sidecar_restarts) = initial(pod, &mut tally);
    if !initializing || condition(pod, "Initialized") == Some("True") {
        (tally.restarts, tally.last_restart) = sidecar_restarts;
        main(pod, &mut tally);
    }
    if has(pod, "metadata.deletionTimestamp") {
        if text(pod, "status.reason") == "NodeLost" {
            tally.reason = "Unknown".to_owned();
        } else if !matches!(text(pod, "status.phase"), "Succeeded" | "Failed") {
            tally.reason = "Terminating".to_owned();
        }
    }
    tally
}

fn first_reason(pod: &Value) -> String {
    let gated = items(pod, "status.conditions")
        .iter()
        .any(|c| text(c, "type") == "PodScheduled" && text(c, "reason") == "SchedulingGated");
    if gated {
        return "SchedulingGated".to_owned();
    }
    or(text(pod, "status.reason"), text(pod, "status.phase")).to_owned()
}

fn is_sidecar(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

/// Init containers, up to the first that is not done: whether there is one, and what sidecars
/// count for restarts.
fn initial(pod: &Value, tally: &mut Tally) -> (bool, (i64, Option<Timestamp>)) {
    let specs = items(pod, "spec.initContainers");
    let mut sidecars = (0, None);
    for (index, status) in items(pod, "status.initContainerStatuses")
        .iter()
        .enumerate()
    {
        let sidecar = specs
            .iter()
            .any(|c| text(c, "name") == text(status, "name") && is_sidecar(c));
        let count = int(status, "restartCount").unwrap_or_default();
        let last = last_finished(status);
        tally.restarts += count;
        tally.last_restart = tally.last_restart.max(last);
        if sidecar {
            sidecars = (sidecars.0 + count, sidecars.1.max(last));
        }
        let done = has(status, "state.terminated") && exit_code(status) == 0;
        if done {
            continue;
        }
        if sidecar && flag(status, "started") {
            tally.ready += usize::from(flag(status, "ready"));
            continue;
        }
        tally.reason = init_reason(status, index, specs.len());
        return (true, sidecars);
    }
    (false, sidecars)
}

fn init_reason(status: &Value, index: usize, total: usize) -> String {
    let waiting = text(status, "state.waiting.reason");
    if has(status, "state.terminated") {
        format!("Init:{}", terminated_reason(status))
    } else if !waiting.is_empty() && waiting != "PodInitializing" {
        format!("Init:{waiting}")
    } else {
        format!("Init:{index}/{total}")
    }
}

/// The main containers, last first.
fn main(pod: &Value, tally: &mut Tally) {
    let mut running = false;
    let mut error = String::new();
    for status in items(pod, "status.containerStatuses").iter().rev() {
        tally.restarts += int(status, "restartCount").unwrap_or_default();
        tally.last_restart = tally.last_restart.max(last_finished(status));
        let waiting = text(status, "state.waiting.reason");
        if !waiting.is_empty() {
            tally.reason = waiting.to_owned();
        } else if has(status, "state.terminated") {
            tally.reason = terminated_reason(status);
            if exit_code(status) != 0 {
                error.clone_from(&tally.reason);
            }
        } else if flag(status, "ready") && has(status, "state.running") {
            running = true;
            tally.ready += 1;
        }
    }
    if tally.reason == "Completed" {
        if running && condition(pod, "Ready") == Some("True") {
            tally.reason = "Running".to_owned();
        } else if !error.is_empty() {
            tally.reason = error;
        } else if running {
            tally.reason = "NotReady".to_owned();
        }
    }
}

fn exit_code(status: &Value) -> i64 {
    int(status, "state.terminated.exitCode").unwrap_or_default()
}

fn terminated_reason(status: &Value) -> String {
    let reason = text(status, "state.terminated.reason");
    let signal = int(status, "state.terminated.signal").unwrap_or_default();
    if !reason.is_empty() {
        reason.to_owned()
    } else if signal != 0 {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", exit_code(status))
    }
}

fn last_finished(status: &Value) -> Option<Timestamp> {
    moment(at(status, "lastState.terminated.finishedAt"))
}

/// The status of the condition of that type.
fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a str> {
    let found = items(pod, "status.conditions")
        .iter()
        .find(|c| text(c, "type") == kind)?;
    Some(text(found, "status"))
}

fn gates(pod: &Value) -> String {
    let gates = items(pod, "spec.readinessGates");
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates
        .iter()
        .filter(|g| condition(pod, text(g, "conditionType")) == Some("True"))
        .count();
    format!("{open}/{}", gates.len())
}
