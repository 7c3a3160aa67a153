//! From a decision to what must be done, as data.

use crate::member::Occasion;
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
    (object, spec): (&HorizontalPodAutoscaler, &Spec),
    decision: &Decision,
    now: Timestamp,
    occasion: Occasion,
) -> Plan {
    Plan {
        rescale: decision.rescale.clone(),
        then: effects((object, spec), &decision.outcome, now, occasion),
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
    effects(
        (object, spec),
        &decision.refused(now, error),
        now,
        Occasion::Period,
    )
}

/// Upstream: updateStatusIfNeeded: nothing is written that is there already.
///
/// Between two periods new figures alone are not worth a write: an autoscaler is written no more often than upstream's.
fn effects(
    (object, spec): (&HorizontalPodAutoscaler, &Spec),
    outcome: &Outcome,
    now: Timestamp,
    occasion: Occasion,
) -> Vec<Effect> {
    let mut effects: Vec<Effect> = outcome.events.iter().cloned().map(Effect::Emit).collect();
    let status = status_after(object, outcome, now);
    let (keep, worth_a_write) = memory::keep(object, spec, outcome, now);
    let old = object.status.as_ref();
    let same = match (occasion, old) {
        (Occasion::Samples, Some(old)) => {
            let mut but_figures = status.clone();
            but_figures.current_metrics.clone_from(&old.current_metrics);
            same_status(Some(old), &but_figures)
        }
        _ => same_status(old, &status),
    };
    if worth_a_write || !same {
        effects.push(Effect::WriteStatus(Box::new(status), keep));
    }
    effects
}

#[cfg(test)]
mod tests;
