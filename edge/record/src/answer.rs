//! A decision as data: what `-o json` and `-o yaml` print.

use crate::snapshot::Snapshot;
use explain::{Line, Number, Numbers, Subject};
use hpa::Decision;
use k8s::autoscaling::status_after;
use k8s_openapi::api::autoscaling::v2::MetricStatus;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// What was decided, and by which rules. The first six fields after the name are what Kubernetes' own
/// controller would write.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `namespace/name`
    pub hpa: String,
    /// `status.currentReplicas`
    pub current_replicas: i32,
    /// `status.desiredReplicas`
    pub desired_replicas: i32,
    /// `ScaleUp`, `ScaleDown` or `None`
    pub action: &'static str,
    /// `status.conditions`, without times
    pub conditions: Vec<Condition>,
    /// `status.currentMetrics`
    pub current_metrics: Vec<MetricStatus>,
    /// In the order in which they are recorded.
    pub events: Vec<Event>,
    /// Every rule that was consulted.
    pub steps: Vec<Step>,
}

/// A condition of the status.
#[derive(Debug, Clone, Serialize)]
pub struct Condition {
    /// `type`
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`
    pub status: String,
    /// `reason`
    pub reason: String,
    /// `message`
    pub message: String,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// `Normal` or `Warning`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `reason`
    pub reason: &'static str,
    /// `message`
    pub message: String,
}

/// A rule, what it says, and its numbers beside them.
#[derive(Debug, Clone)]
pub struct Step(Line);

impl Answer {
    /// The answer to a snapshot.
    pub fn of(snapshot: &Snapshot, decision: &Decision) -> Self {
        let outcome = &decision.outcome;
        let status = status_after(&snapshot.object, outcome, snapshot.now);
        let name = snapshot.name();
        Self {
            current_replicas: status.current_replicas.unwrap_or(0),
            desired_replicas: status.desired_replicas,
            action: action(snapshot, decision),
            conditions: outcome.conditions.iter().map(Condition::of).collect(),
            current_metrics: status.current_metrics.unwrap_or_default(),
            events: outcome.events.iter().map(Event::of).collect(),
            steps: explain::steps(&subject(&name, snapshot, decision))
                .into_iter()
                .map(Step)
                .collect(),
            hpa: name,
        }
    }
}

/// What the sentences are made from.
pub fn subject<'a>(name: &'a str, snapshot: &'a Snapshot, decision: &'a Decision) -> Subject<'a> {
    Subject {
        name,
        spec: &snapshot.spec,
        seen: &snapshot.observation,
        decision,
        now: snapshot.now,
    }
}

fn action(snapshot: &Snapshot, decision: &Decision) -> &'static str {
    let scale = snapshot.observation.scale.as_ref();
    let found = scale.map_or(0, |s| s.spec_replicas);
    match decision.rescale.as_ref().map(|r| r.to.cmp(&found)) {
        Some(Ordering::Greater) => "ScaleUp",
        Some(Ordering::Less) => "ScaleDown",
        _ => "None",
    }
}

impl Condition {
    fn of(condition: &hpa::Condition) -> Self {
        Self {
            kind: condition.kind.to_string(),
            status: condition.status.to_string(),
            reason: condition.reason.to_string(),
            message: condition.message.to_string(),
        }
    }
}

impl Event {
    fn of(event: &hpa::Event) -> Self {
        Self {
            kind: event.kind.as_str(),
            reason: event.reason,
            message: event.message.clone(),
        }
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("rule", self.0.rule)?;
        map.serialize_entry("detail", &self.0.detail)?;
        for (name, number) in &self.0.numbers {
            map.serialize_entry(name, &Wire(number))?;
        }
        map.end()
    }
}

struct Wire<'a>(&'a Number);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Number::Integer(number) => to.serialize_i64(*number),
            // JSON has no word for what a division by zero gives.
            Number::Ratio(ratio) if !ratio.is_finite() => to.serialize_str(&ratio.to_string()),
            Number::Ratio(ratio) => to.serialize_f64(*ratio),
            Number::Text(text) => to.serialize_str(text),
            Number::Flag(flag) => to.serialize_bool(*flag),
            Number::List(list) => {
                let mut seq = to.serialize_seq(Some(list.len()))?;
                for numbers in list {
                    seq.serialize_element(&Row(numbers))?;
                }
                seq.end()
            }
        }
    }
}

struct Row<'a>(&'a Numbers);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, number)| (name, Wire(number))))
    }
}
