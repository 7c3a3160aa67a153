//! Several metrics: the highest proposal counts, unless a failed one might have asked for more.
//!
//! Upstream: horizontal.go, computeReplicasForMetrics and validateAndParseSelector.

use crate::decision::{CurrentMetrics, Event, Outcome, Said, condition};
use crate::fallback;
use crate::metric::{self, Context, Failed};
use crate::observation::Selection;
use crate::step::{SelectStep, Step};
use std::cmp::Ordering;

/// What the metrics ask for together.
#[derive(Debug)]
pub(crate) struct Proposed {
    /// How many, and who asked; nothing when nothing may be done.
    pub(crate) asked: Option<Asked>,
    /// What went wrong, although there may be a number.
    pub(crate) error: Option<String>,
}

/// What counts of the proposals.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// So many replicas.
    pub(crate) replicas: i32,
    /// The metric that asked for them.
    pub(crate) name: String,
    /// Whether that metric failed, and this is its fallback.
    pub(crate) by_fallback: bool,
    /// Whether any metric has fallen back.
    pub(crate) any_fallback: bool,
}

impl Asked {
    /// Why the number changes to another than `current`.
    pub(crate) fn reason(&self, current: i32) -> String {
        match self.replicas.cmp(&current) {
            Ordering::Greater if self.by_fallback => {
                format!("{} failed and its fallback asks for more", self.name)
            }
            Ordering::Greater => format!("{} above target", self.name),
            Ordering::Less if self.any_fallback => {
                "All metrics below target or replaced by a fallback that asks for fewer".to_owned()
            }
            Ordering::Less => "All metrics below target".to_owned(),
            Ordering::Equal => String::new(),
        }
    }

    fn message(&self) -> (&'static str, String) {
        let name = &self.name;
        if self.by_fallback {
            return (
                "FallbackUsed",
                format!("the HPA calculates with the fallback of {name}, as that metric failed"),
            );
        }
        (
            "ValidMetricFound",
            format!("the HPA was able to successfully calculate a replica count from {name}"),
        )
    }
}

/// Asks every metric; says in `outcome` and `steps` what came of it.
pub(crate) fn propose(
    context: Context<'_>,
    outcome: &mut Outcome,
    steps: &mut Vec<Step>,
) -> Proposed {
    if let Some(error) = selection_problem(context, outcome) {
        steps.push(Step::NoSelection {
            error: error.clone(),
        });
        outcome.current_metrics = CurrentMetrics::None;
        return Proposed {
            asked: None,
            error: Some(error),
        };
    }
    let mut best = SelectStep {
        failed: 0,
        of: context.spec.metrics.len(),
        chosen: None,
        replicas: 0,
    };
    let mut asked = Asked::default();
    let mut failures = Failures::default();
    let mut statuses = Vec::with_capacity(best.of);
    for (index, metric) in context.spec.metrics.iter().enumerate() {
        let answer = metric::evaluate(context, index, metric);
        steps.push(Step::Metric(answer.step));
        match answer.result {
            Ok(accepted) => {
                let replicas = accepted.proposal.replicas;
                fallback::remember(context, metric, replicas, &mut outcome.history.known);
                if best.takes(index, replicas) {
                    (asked.name, asked.by_fallback) = (accepted.name, false);
                }
                statuses.push(Some(accepted.current));
            }
            Err(failed) => {
                outcome
                    .events
                    .push(Event::warning(failed.reason, failed.cause.as_str()));
                statuses.push(None);
                failures.number += 1;
                failures.first.get_or_insert(failed);
                let instead = fallback::of(context, index, metric, &outcome.history.known);
                match instead.as_ref().and_then(|step| step.replicas) {
                    None => best.failed += 1,
                    Some(replicas) => {
                        asked.any_fallback = true;
                        if best.takes(index, replicas) {
                            (asked.name, asked.by_fallback) = (metric.source.label(), true);
                        }
                    }
                }
                steps.extend(instead.map(Step::Fallback));
            }
        }
    }
    outcome.current_metrics = CurrentMetrics::Read(statuses);
    asked.replicas = best.replicas;
    conclude(context, outcome, steps, (best, asked, failures))
}

/// Metrics that failed, whatever they count as.
#[derive(Debug, Default)]
struct Failures {
    number: usize,
    first: Option<Failed>,
}

impl SelectStep {
    /// Chooses a proposal if it is the highest; one of zero gives way to any later one, as upstream.
    fn takes(&mut self, index: usize, replicas: i32) -> bool {
        let higher = self.replicas == 0 || replicas > self.replicas;
        if higher {
            (self.chosen, self.replicas) = (Some(index), replicas);
        }
        higher
    }
}

fn conclude(
    context: Context<'_>,
    outcome: &mut Outcome,
    steps: &mut Vec<Step>,
    (mut best, asked, failures): (SelectStep, Asked, Failures),
) -> Proposed {
    let first_failure = failures.first;
    let error = first_failure.as_ref().map(|failed| {
        let (bad, all) = (failures.number, best.of);
        format!(
            "invalid metrics ({bad} invalid out of {all}), first error is: {}",
            failed.error
        )
    });
    let blocked =
        best.failed >= best.of || (best.failed > 0 && best.replicas < context.scale.spec_replicas);
    if blocked {
        best.chosen = None;
        steps.push(Step::Select(best));
        // Upstream sets an unnamed condition when there is no metric at all; the API server never leaves none.
        let (reason, message) = first_failure.map_or(("", String::new()), |failed| {
            (
                failed.reason,
                format!(
                    "the HPA was unable to compute the replica count: {}",
                    failed.cause
                ),
            )
        });
        outcome.set_condition(
            context.now,
            condition::SCALING_ACTIVE,
            Said::no(reason, message),
        );
        return Proposed { asked: None, error };
    }
    steps.push(Step::Select(best));
    let (reason, message) = asked.message();
    outcome.set_condition(
        context.now,
        condition::SCALING_ACTIVE,
        Said::yes(reason, message),
    );
    Proposed {
        asked: Some(asked),
        error,
    }
}

/// Says what is wrong with the scale's selector, if anything is.
fn selection_problem(context: Context<'_>, outcome: &mut Outcome) -> Option<String> {
    let (event, reason, error, message) = match &context.scale.selection {
        Selection::Valid => return None,
        Selection::Missing => (
            "SelectorRequired",
            "InvalidSelector",
            "selector is required".to_owned(),
            Some("the HPA target's scale is missing a selector"),
        ),
        Selection::Invalid { error } => (
            "InvalidSelector",
            "InvalidSelector",
            format!(
                "couldn't convert selector into a corresponding internal selector object: {error}"
            ),
            None,
        ),
        Selection::Ambiguous {
            selector,
            autoscalers,
        } => (
            "AmbiguousSelector",
            "AmbiguousSelector",
            format!(
                "pods by selector {selector} are controlled by multiple HPAs: [{}]",
                autoscalers.join(" ")
            ),
            None,
        ),
    };
    outcome.events.push(Event::warning(event, error.as_str()));
    let message = message.map_or_else(|| error.clone(), str::to_owned);
    outcome.set_condition(
        context.now,
        condition::SCALING_ACTIVE,
        Said::no(reason, message),
    );
    Some(error)
}
