//! From a decision to what must be done, as data.

use hpa::{Decision, Event, Outcome, Rescale};
use k8s::autoscaling::{same_status, status_after};
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use units::Timestamp;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Record an event about the autoscaler.
    Emit(Event),
    /// Write the autoscaler's status.
    WriteStatus(Box<HorizontalPodAutoscalerStatus>),
}

/// What follows from a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// First, change the target's scale. If that is refused, [`refused`] says what to do instead of `then`.
    pub rescale: Option<Rescale>,
    /// Then these, in order.
    pub then: Vec<Effect>,
}

/// What to do about a decision on `object`.
pub fn plan(object: &HorizontalPodAutoscaler, decision: &Decision, now: Timestamp) -> Plan {
    Plan {
        rescale: decision.rescale.clone(),
        then: effects(object, &decision.outcome, now),
    }
}

/// What to do when the change of scale was refused with `error`.
pub fn refused(
    object: &HorizontalPodAutoscaler,
    decision: &Decision,
    now: Timestamp,
    error: &str,
) -> Vec<Effect> {
    effects(object, &decision.refused(now, error), now)
}

/// Upstream: updateStatusIfNeeded: nothing is written that is there already.
fn effects(object: &HorizontalPodAutoscaler, outcome: &Outcome, now: Timestamp) -> Vec<Effect> {
    let mut effects: Vec<Effect> = outcome.events.iter().cloned().map(Effect::Emit).collect();
    let status = status_after(object, outcome, now);
    if !same_status(object.status.as_ref(), &status) {
        effects.push(Effect::WriteStatus(Box::new(status)));
    }
    effects
}

#[cfg(test)]
mod tests;
