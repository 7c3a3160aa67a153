//! What a spectator is told of a decision.

use hpa::step::{Calculation, Step};
use hpa::{Condition, Decision};
use std::sync::Arc;
use units::Timestamp;

/// Is told of every decision.
pub type OnDecision = Arc<dyn Fn(&DecisionRecord) + Send + Sync>;

/// A decision, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord {
    /// The autoscaler's namespace.
    pub namespace: String,
    /// The autoscaler's name.
    pub name: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Replicas before.
    pub current: i32,
    /// Replicas wanted.
    pub desired: i32,
    /// Whether the target is to be scaled; where nothing could be decided, `desired` is an old number.
    pub rescale: bool,
    /// The metrics that could be calculated.
    pub metrics: Vec<MetricRecord>,
    /// One sentence.
    pub reason: String,
    /// The conditions after it.
    pub conditions: Vec<Condition>,
    /// Every rule that was consulted.
    pub steps: Vec<Step>,
}

/// A metric and its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRecord {
    /// As conditions name it.
    pub name: String,
    /// What it is.
    pub current: i64,
    /// What it should be.
    pub target: i64,
    /// What both are counted in.
    pub unit: Unit,
    /// What it asks for.
    pub proposal: i32,
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Percent of the requests.
    Percent,
    /// Thousandths.
    Milli,
}

impl DecisionRecord {
    /// Of a decision on `namespace/name`.
    pub(crate) fn of(namespace: &str, name: &str, at: Timestamp, decision: &Decision) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            at,
            current: decision.current_replicas,
            desired: decision.desired_replicas,
            rescale: decision.rescale.is_some(),
            metrics: decision.steps.iter().filter_map(metric).collect(),
            reason: sentence(decision),
            conditions: decision.outcome.conditions.clone(),
            steps: decision.steps.clone(),
        }
    }
}

fn metric(step: &Step) -> Option<MetricRecord> {
    let Step::Metric(step) = step else {
        return None;
    };
    let proposal = step.proposal.as_ref().ok()?;
    let (current, target, unit) = match &step.calculation {
        Calculation::None => return None,
        Calculation::Pods { first, .. } => {
            let unit = if first.request.is_some() {
                Unit::Percent
            } else {
                Unit::Milli
            };
            (first.current, first.target, unit)
        }
        Calculation::Value { value, target, .. } => (*value, *target, Unit::Milli),
        Calculation::PerReplica {
            value,
            target,
            replicas,
            ..
        } => (
            value.checked_div(i64::from(*replicas)).unwrap_or(0),
            *target,
            Unit::Milli,
        ),
    };
    Some(MetricRecord {
        name: step.name.clone(),
        current,
        target,
        unit,
        proposal: proposal.replicas,
    })
}

/// Why the number changes, or does not.
fn sentence(decision: &Decision) -> String {
    if let Some(failure) = &decision.failure
        && decision.rescale.is_none()
    {
        return failure.text.clone();
    }
    if let Some(withheld) = &decision.withheld {
        let (to, reason) = (withheld.change.to, &withheld.change.reason);
        return format!("{}, else it would be {to}: {reason}", withheld.by.as_str());
    }
    if let Some(rescale) = &decision.rescale {
        return match limit(decision) {
            Some(limit) => format!("{}; {limit}", rescale.reason),
            None => rescale.reason.clone(),
        };
    }
    limit(decision)
        .unwrap_or_else(|| "the metrics are within tolerance of their targets".to_owned())
}

/// What kept the number from being what the metrics ask for.
fn limit(decision: &Decision) -> Option<String> {
    let conditions = &decision.outcome.conditions;
    let says = |kind: &str, status: &str, reason: &str| {
        conditions
            .iter()
            .find(|c| {
                c.kind == kind && c.status == status && (reason.is_empty() || c.reason == reason)
            })
            .map(|c| c.message.clone().into_owned())
    };
    says("ScalingActive", "False", "")
        .or_else(|| says("AbleToScale", "True", "ScaleDownStabilized"))
        .or_else(|| says("AbleToScale", "True", "ScaleUpStabilized"))
        .or_else(|| says("ScalingLimited", "True", ""))
}
