//! From a decision to what must be done, as data.

use crate::memory::{self, Keep};
use hpa::{Decision, Event, Outcome, Rescale, Spec};
use k8s::autoscaling::{same_status, status_after};
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use units::Timestamp;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Record an event about the autoscaler.
    Emit(Event),
    /// Write the autoscaler's status, and with it what is to be remembered.
    WriteStatus(Box<HorizontalPodAutoscalerStatus>, Keep),
}

/// What follows from a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// First, change the target's scale. If that is refused, [`refused`] says what to do instead of `then`.
    pub rescale: Option<Rescale>,
    /// Then these, in order.
    pub then: Vec<Effect>,
}

/// What to do about a decision on `object`, whose specification `spec` is.
pub fn plan(
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
    decision: &Decision,
    now: Timestamp,
) -> Plan {
    Plan {
        rescale: decision.rescale.clone(),
        then: effects(object, spec, &decision.outcome, now),
    }
}

/// What to do when the change of scale was refused with `error`.
pub fn refused(
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
    decision: &Decision,
    now: Timestamp,
    error: &str,
) -> Vec<Effect> {
    effects(object, spec, &decision.refused(now, error), now)
}

/// Upstream: updateStatusIfNeeded: nothing is written that is there already.
fn effects(
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
    outcome: &Outcome,
    now: Timestamp,
) -> Vec<Effect> {
    let mut effects: Vec<Effect> = outcome.events.iter().cloned().map(Effect::Emit).collect();
    let status = status_after(object, outcome, now);
    let (keep, worth_a_write) = memory::keep(object, spec, outcome, now);
    if worth_a_write || !same_status(object.status.as_ref(), &status) {
        effects.push(Effect::WriteStatus(Box::new(status), keep));
    }
    effects
}

#[cfg(test)]
mod tests;
