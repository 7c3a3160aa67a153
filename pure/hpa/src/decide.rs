//! One decision from beginning to end.
//!
//! Upstream: horizontal.go, reconcileAutoscaler.

use crate::behavior::{self, Move};
use crate::bounds;
use crate::decision::{
    CurrentMetrics, Decision, Event, EventKind, Failure, Outcome, Rescale, Said, condition,
};
use crate::fallback;
use crate::history::History;
use crate::hold::{self, Left, Spoken, Withheld};
use crate::metric::Context;
use crate::observation::{Observation, Scale, ScaleProblem, ScaleStep};
use crate::options::PodSelection;
use crate::propose::{self, Asked, Proposed};
use crate::spec::Spec;
use crate::stabilize;
use crate::step::{OwnershipStep, Step};
use units::Timestamp;

const BELOW_MIN: &str = "Current number of replicas below Spec.MinReplicas";
const ABOVE_MAX: &str = "Current number of replicas above Spec.MaxReplicas";

/// Decides how many replicas there should be, and says why.
pub fn decide(now: Timestamp, spec: &Spec, seen: &Observation, history: &History) -> Decision {
    let outcome = Outcome {
        current_replicas: seen.status.current_replicas,
        desired_replicas: seen.status.desired_replicas,
        scaled_now: false,
        current_metrics: CurrentMetrics::Kept,
        conditions: seen.status.conditions.clone(),
        events: Vec::new(),
        history: history.clone(),
    };
    let mut run = Run {
        now,
        spec,
        outcome,
        steps: Vec::with_capacity(spec.metrics.len() + 5),
    };
    run.consider_options();
    match &seen.scale {
        Ok(scale) => run.with_scale(seen, scale),
        Err(problem) => run.without_scale(problem),
    }
}

/// A decision in the making.
struct Run<'a> {
    now: Timestamp,
    spec: &'a Spec,
    outcome: Outcome,
    steps: Vec<Step>,
}

/// What is wanted before the change is tried.
enum Wish {
    /// Change to so many, for this reason.
    Change(i32, String),
    /// Leave it.
    Nothing,
    /// Leave it: it could not be decided.
    Undecided(String),
}

impl Run<'_> {
    fn without_scale(mut self, problem: &ScaleProblem) -> Decision {
        let error = &problem.error;
        self.outcome
            .events
            .push(Event::warning("FailedGetScale", error.as_str()));
        let message =
            format!("the HPA controller was unable to get the target's current scale: {error}");
        self.outcome.set_condition(
            self.now,
            condition::ABLE_TO_SCALE,
            Said::no("FailedGetScale", message),
        );
        self.steps.push(Step::NoScale {
            error: error.clone(),
        });
        let (text, spec) = match problem.context {
            ScaleStep::ApiVersion => (
                format!("invalid API version in scale target reference: {error}"),
                true,
            ),
            ScaleStep::Mapping => (
                format!("unable to determine resource for scale target reference: {error}"),
                false,
            ),
            ScaleStep::Get => (
                format!(
                    "failed to query scale subresource for {}: {error}",
                    self.reference()
                ),
                false,
            ),
        };
        self.keep();
        self.finish(Left::None, Some(Failure { text, spec }))
    }

    fn consider_options(&mut self) {
        let options = &self.spec.options;
        fallback::forget(self.spec, &mut self.outcome.history.known);
        if options.any() {
            self.steps.push(Step::Options(Box::new(options.clone())));
        }
    }

    /// The status keeps its number.
    fn keep(&mut self) {
        self.steps.push(Step::Kept {
            desired: self.outcome.desired_replicas,
        });
    }

    fn with_scale(mut self, seen: &Observation, scale: &Scale) -> Decision {
        let current = scale.spec_replicas;
        let message = "the HPA controller was able to get the target's current scale";
        self.outcome.set_condition(
            self.now,
            condition::ABLE_TO_SCALE,
            Said::yes("SucceededGetScale", message),
        );
        self.outcome.history.begin(self.now, current);
        self.outcome.current_replicas = current;
        self.outcome.current_metrics = CurrentMetrics::None;
        self.steps.push(Step::Start {
            current,
            observed: scale.status_replicas,
            min: self.spec.min(),
            max: self.spec.max_replicas,
        });
        if self.spec.options.pod_selection == PodSelection::Owner {
            self.steps.push(Step::Ownership(OwnershipStep {
                own: seen.pods.len(),
                left_out: seen.left_out.clone(),
            }));
        }
        let mut failure = None;
        match self.wish(seen, scale, &mut failure) {
            Wish::Undecided(error) => {
                self.outcome.events.push(Event::warning(
                    "FailedComputeMetricsReplicas",
                    error.as_str(),
                ));
                let text = format!(
                    "failed to compute desired number of replicas based on listed metrics for {}: {error}",
                    self.reference()
                );
                self.keep();
                self.finish(Left::None, Some(Failure { text, spec: false }))
            }
            Wish::Nothing => self.settle(current, None, failure),
            Wish::Change(to, reason) => {
                let from = current;
                self.settle(current, Some(Rescale { from, to, reason }), failure)
            }
        }
    }

    /// The change that was decided on is made, unless an option holds it back.
    fn settle(
        mut self,
        current: i32,
        change: Option<Rescale>,
        failure: Option<Failure>,
    ) -> Decision {
        let left = hold::hold(&self.spec.options, current, change, &mut self.steps);
        let desired = left.desired(current);
        self.steps.push(Step::Result { current, desired });
        if !matches!(left, Left::Made(_)) {
            self.outcome.desired_replicas = desired;
        }
        self.finish(left, failure)
    }

    fn wish(&mut self, seen: &Observation, scale: &Scale, failure: &mut Option<Failure>) -> Wish {
        let (current, min, max) = (scale.spec_replicas, self.spec.min(), self.spec.max_replicas);
        let gate = self.spec.config.gates.scale_to_zero;
        let scaled_to_zero = gate && self.says_scaled_to_zero();
        if current == 0 {
            let object_or_external = self.spec.has_object_or_external();
            let from_zero = scaled_to_zero && (min != 0 || object_or_external);
            if !from_zero {
                self.steps.push(Step::Disabled {
                    scaled_to_zero,
                    object_or_external,
                });
                let message = "scaling is disabled since the replica count of the target is zero";
                self.outcome.set_condition(
                    self.now,
                    condition::SCALING_ACTIVE,
                    Said::no("ScalingDisabled", message),
                );
                if !gate {
                    self.forget_scaled_to_zero();
                }
                return Wish::Nothing;
            }
        } else if current > max {
            self.steps.push(Step::OutsideBounds {
                before: current,
                after: max,
            });
            return Wish::Change(max, ABOVE_MAX.to_owned());
        } else if current < min {
            self.steps.push(Step::OutsideBounds {
                before: current,
                after: min,
            });
            return Wish::Change(min, BELOW_MIN.to_owned());
        }
        let tolerances = self.spec.tolerances();
        let context = Context {
            now: self.now,
            spec: self.spec,
            seen,
            scale,
            tolerances,
        };
        let Proposed { asked, error } =
            propose::propose(context, &mut self.outcome, &mut self.steps);
        let Some(asked) = asked else {
            return Wish::Undecided(error.unwrap_or_default());
        };
        *failure = error.map(|text| Failure { text, spec: false });
        self.by_metrics(current, asked, scaled_to_zero)
    }

    /// From the metrics' number to the one that may be set.
    fn by_metrics(&mut self, current: i32, mut asked: Asked, scaled_to_zero: bool) -> Wish {
        let min = self.spec.min();
        // A proposal below zero counts as zero, and then no metric has asked.
        if asked.replicas <= 0 {
            asked.replicas = 0;
            asked.name.clear();
        }
        let mut reason = asked.reason(current);
        let mut desired = self.normalize(current, asked.replicas);
        if current == 0 && min != 0 && scaled_to_zero && desired < min {
            self.steps.push(Step::LiftFromZero {
                before: desired,
                after: min,
            });
            desired = min;
            if reason.is_empty() {
                BELOW_MIN.clone_into(&mut reason);
            }
        }
        if desired == current {
            Wish::Nothing
        } else {
            Wish::Change(desired, reason)
        }
    }

    /// Upstream: normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors.
    fn normalize(&mut self, current: i32, wanted: i32) -> i32 {
        let (now, spec) = (self.now, self.spec);
        let history = &mut self.outcome.history;
        let config = spec.effective_config();
        let stabilized = match &spec.behavior {
            None => stabilize::legacy(now, wanted, config.downscale_stabilization, history),
            Some(rules) => {
                stabilize::with_behavior(now, (current, wanted), rules, &config, history)
            }
        };
        let held = stabilized.after;
        self.say_stabilized(held != wanted, spec.behavior.is_some() && wanted >= current);
        self.steps.push(Step::Stabilize(stabilized));
        let wish = Move {
            current,
            desired: held,
            min: spec.min(),
            max: spec.max_replicas,
        };
        let limited = match &spec.behavior {
            None => {
                let (limited, step) = bounds::legacy(wish);
                self.steps.push(Step::Bound(step));
                limited
            }
            Some(rules) => {
                let (limited, step) = behavior::limit(now, wish, rules, &self.outcome.history);
                self.steps.extend(step.map(Step::Rate));
                limited
            }
        };
        let changed = limited.replicas != held;
        self.outcome.set_condition(
            now,
            condition::SCALING_LIMITED,
            Said::new(changed, limited.reason, limited.message),
        );
        limited.replicas
    }

    fn say_stabilized(&mut self, changed: bool, up: bool) {
        let (reason, message) = match (changed, up) {
            (false, _) => ("ReadyForNewScale", "recommended size matches current size"),
            (true, true) => (
                "ScaleUpStabilized",
                "recent recommendations were lower than current one, applying the lowest recent recommendation",
            ),
            (true, false) => (
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent recommendation",
            ),
        };
        self.outcome.set_condition(
            self.now,
            condition::ABLE_TO_SCALE,
            Said::yes(reason, message),
        );
    }

    fn finish(mut self, left: Left, failure: Option<Failure>) -> Decision {
        let (rescale, withheld) = left.apart();
        self.say_options(withheld.as_ref());
        let before_rescale = self.outcome.clone();
        if let Some(change) = &rescale {
            self.rescaled(change);
        }
        Decision {
            current_replicas: self.outcome.current_replicas,
            desired_replicas: self.outcome.desired_replicas,
            rescale,
            withheld,
            outcome: self.outcome,
            failure,
            steps: self.steps,
            before_rescale,
        }
    }

    fn say_options(&mut self, withheld: Option<&Withheld>) {
        let spoken = Spoken {
            now: self.now,
            options: &self.spec.options,
            withheld,
            steps: &self.steps,
        };
        hold::say(&spoken, &mut self.outcome);
    }

    /// What follows a change of scale that was made.
    fn rescaled(&mut self, change: &Rescale) {
        let (now, spec) = (self.now, self.spec);
        let message = format!(
            "the HPA controller was able to update the target scale to {}",
            change.to
        );
        self.outcome.set_condition(
            now,
            condition::ABLE_TO_SCALE,
            Said::yes("SucceededRescale", message),
        );
        self.outcome.events.push(Event {
            kind: EventKind::Normal,
            reason: "SuccessfulRescale",
            message: format!("New size: {}; reason: {}", change.to, change.reason),
        });
        if let Some(behavior) = &spec.behavior {
            let rules = if change.to > change.from {
                &behavior.up
            } else {
                &behavior.down
            };
            let period = behavior::longest_period(rules);
            self.outcome
                .history
                .scaled(now, change.from, change.to, period);
        }
        if spec.config.gates.scale_to_zero {
            let zero = change.from > 0
                && change.to == 0
                && spec.min() == 0
                && spec.has_object_or_external();
            let (reason, message) = if zero {
                (
                    "ScaledToZero",
                    "the HPA controller scaled the workload to zero",
                )
            } else {
                (
                    "NotScaledToZero",
                    "the HPA controller did not scale the workload to zero",
                )
            };
            self.outcome.set_condition(
                now,
                condition::SCALED_TO_ZERO,
                Said::new(zero, reason, message),
            );
        } else {
            self.forget_scaled_to_zero();
        }
        self.outcome.desired_replicas = change.to;
        self.outcome.scaled_now = true;
    }

    /// Upstream: getScaledToZeroConditionStatus.
    fn says_scaled_to_zero(&self) -> bool {
        let condition = self
            .outcome
            .conditions
            .iter()
            .find(|c| c.kind == condition::SCALED_TO_ZERO);
        condition.is_some_and(|c| c.status == "True")
    }

    fn forget_scaled_to_zero(&mut self) {
        self.outcome
            .conditions
            .retain(|c| c.kind != condition::SCALED_TO_ZERO);
    }

    fn reference(&self) -> String {
        format!(
            "{}/{}/{}",
            self.spec.target_kind, self.spec.namespace, self.spec.target_name
        )
    }
}

#[cfg(test)]
mod tests;
