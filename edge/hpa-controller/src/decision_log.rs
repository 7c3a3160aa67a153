//! Decisions as lines of JSON, in a file that other programs read.

use crate::report::{DecisionRecord, MetricRecord, OnDecision, Unit};
use anyhow::Context;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::warn;

/// Appends each decision to `file`; `-` is standard output.
pub(crate) fn to(file: &Path) -> anyhow::Result<OnDecision> {
    let out: Box<dyn Write + Send> = if file.as_os_str() == "-" {
        Box::new(std::io::stdout())
    } else {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let opened = opened.with_context(|| {
            format!(
                "cannot write --decision-log {}: name a file in a folder that can be written to",
                file.display()
            )
        })?;
        Box::new(opened)
    };
    Ok(writing(out))
}

fn writing(out: Box<dyn Write + Send>) -> OnDecision {
    let (out, failed) = (Mutex::new(out), AtomicBool::new(false));
    Arc::new(move |decision| {
        let line = format!("{}\n", line(decision));
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        match written {
            Ok(()) => failed.store(false, Ordering::Relaxed),
            Err(error) if !failed.swap(true, Ordering::Relaxed) => {
                warn!(%error, "cannot write the decision log; decisions go on");
            }
            Err(_) => {}
        }
    })
}

/// A decision as data.
fn line(decision: &DecisionRecord) -> Value {
    let action = match decision.desired.cmp(&decision.current) {
        _ if !decision.rescale => "None",
        std::cmp::Ordering::Greater => "ScaleUp",
        std::cmp::Ordering::Less => "ScaleDown",
        std::cmp::Ordering::Equal => "None",
    };
    let at = jiff::Timestamp::from_nanosecond(decision.at.nanos());
    json!({
        "at": at.map(|at| at.to_string()).unwrap_or_default(),
        "hpa": format!("{}/{}", decision.namespace, decision.name),
        "currentReplicas": decision.current,
        "desiredReplicas": decision.desired,
        "action": action,
        "reason": decision.reason,
        "metrics": decision.metrics.iter().map(metric).collect::<Vec<_>>(),
        "conditions": decision.conditions.iter().map(|condition| json!({
            "type": condition.kind, "status": condition.status,
            "reason": condition.reason, "message": condition.message,
        })).collect::<Vec<_>>(),
    })
}

fn metric(metric: &MetricRecord) -> Value {
    let unit = match metric.unit {
        Unit::Percent => "percent",
        Unit::Milli => "milli",
    };
    json!({
        "name": metric.name, "current": metric.current, "target": metric.target,
        "unit": unit, "proposal": metric.proposal,
    })
}

#[cfg(test)]
mod tests;
