//! What to do, and everything that will be said about it.

use crate::history::History;
use crate::hold::Withheld;
use crate::step::Step;
use std::borrow::Cow;
use units::{Quantity, Timestamp};

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// `scale.spec.replicas` as found; the status's old number when there is no scale.
    pub current_replicas: i32,
    /// What the status will say is desired.
    pub desired_replicas: i32,
    /// The change to make, if any.
    pub rescale: Option<Rescale>,
    /// A change that was decided on, but is held back as the autoscaler's options say.
    pub withheld: Option<Withheld>,
    /// What follows when the change is made, or there is none to make.
    pub outcome: Outcome,
    /// What upstream's controller would log as this reconcile's error.
    pub failure: Option<Failure>,
    /// Every rule that was consulted, in order.
    pub steps: Vec<Step>,
    /// What stands before the change is tried; [`Decision::refused`] goes on from here.
    pub(crate) before_rescale: Outcome,
}

/// A change of the target's scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescale {
    /// From so many.
    pub from: i32,
    /// To so many.
    pub to: i32,
    /// Why: `cpu resource utilization (percentage of request) above target`.
    pub reason: String,
}

/// What is written about a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// `status.currentReplicas`
    pub current_replicas: i32,
    /// `status.desiredReplicas`
    pub desired_replicas: i32,
    /// Whether `status.lastScaleTime` becomes now.
    pub scaled_now: bool,
    /// `status.currentMetrics`
    pub current_metrics: CurrentMetrics,
    /// `status.conditions`
    pub conditions: Vec<Condition>,
    /// In the order in which they are recorded.
    pub events: Vec<Event>,
    /// For the next decision.
    pub history: History,
}

/// `status.currentMetrics`.
#[derive(Debug, Clone, PartialEq)]
pub enum CurrentMetrics {
    /// The status keeps what it has.
    Kept,
    /// Nothing was looked at.
    None,
    /// One entry for each of `spec.metrics`; `None` for one that failed.
    Read(Vec<Option<Current>>),
}

/// `current` of a metric's status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Current {
    /// `value`
    pub value: Option<Quantity>,
    /// `averageValue`
    pub average_value: Option<Quantity>,
    /// `averageUtilization`
    pub average_utilization: Option<i32>,
}

/// A condition of the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `type`
    pub kind: Cow<'static, str>,
    /// `True`, `False` or `Unknown`
    pub status: Cow<'static, str>,
    /// `reason`
    pub reason: Cow<'static, str>,
    /// `message`
    pub message: Cow<'static, str>,
    /// `lastTransitionTime`
    pub last_transition: Option<Timestamp>,
}

/// An event's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `Normal`
    Normal,
    /// `Warning`
    Warning,
}

/// Something to record about the autoscaler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `type`
    pub kind: EventKind,
    /// `reason`
    pub reason: &'static str,
    /// `message`
    pub message: String,
}

/// A reconcile's error as upstream's log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The text.
    pub text: String,
    /// Whether the specification is to blame. Upstream: errSpec.
    pub spec: bool,
}

impl EventKind {
    /// As written in the object.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

impl Event {
    pub(crate) fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: EventKind::Warning,
            reason,
            message: message.into(),
        }
    }
}

/// What a condition says.
#[derive(Debug)]
pub(crate) struct Said {
    status: bool,
    reason: &'static str,
    message: Cow<'static, str>,
}

impl Said {
    pub(crate) fn new(
        status: bool,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
        }
    }

    pub(crate) fn yes(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(true, reason, message)
    }

    pub(crate) fn no(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(false, reason, message)
    }
}

/// Types of conditions.
pub(crate) mod condition {
    pub(crate) const ABLE_TO_SCALE: &str = "AbleToScale";
    pub(crate) const SCALING_ACTIVE: &str = "ScalingActive";
    pub(crate) const SCALING_LIMITED: &str = "ScalingLimited";
    pub(crate) const SCALED_TO_ZERO: &str = "ScaledToZero";
    // Of our own: see `hold`.
    pub(crate) const PAUSED: &str = "Paused";
    pub(crate) const FROZEN: &str = "Frozen";
    pub(crate) const DRY_RUN: &str = "DryRun";
    pub(crate) const FALLBACK: &str = "Fallback";
    pub(crate) const INVALID_OPTIONS: &str = "InvalidOptions";
}

impl Decision {
    /// What follows when the change of scale was tried and refused with `error`.
    pub fn refused(&self, now: Timestamp, error: &str) -> Outcome {
        let mut outcome = self.before_rescale.clone();
        let Some(rescale) = &self.rescale else {
            return outcome;
        };
        outcome.events.push(Event::warning(
            "FailedRescale",
            format!(
                "New size: {}; reason: {}; error: {error}",
                rescale.to, rescale.reason
            ),
        ));
        outcome.set_condition(
            now,
            condition::ABLE_TO_SCALE,
            Said::no(
                "FailedUpdateScale",
                format!("the HPA controller was unable to update the target scale: {error}"),
            ),
        );
        outcome
    }
}

impl Outcome {
    /// Upstream: setConditionInList.
    pub(crate) fn set_condition(&mut self, now: Timestamp, kind: &'static str, said: Said) {
        let status = if said.status { "True" } else { "False" };
        let index = self
            .conditions
            .iter()
            .position(|c| c.kind == kind)
            .unwrap_or_else(|| {
                self.conditions.push(Condition {
                    kind: kind.into(),
                    status: "".into(),
                    reason: "".into(),
                    message: "".into(),
                    last_transition: None,
                });
                self.conditions.len() - 1
            });
        let condition = &mut self.conditions[index];
        if condition.status != status {
            condition.last_transition = Some(now);
        }
        condition.status = status.into();
        condition.reason = said.reason.into();
        condition.message = said.message;
    }
}
