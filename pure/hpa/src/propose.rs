//! Several metrics: the highest proposal counts, unless a failed one might have asked for more.
//!
//! Upstream: horizontal.go, computeReplicasForMetrics and validateAndParseSelector.

use crate::decision::{CurrentMetrics, Event, Outcome, Said, condition};
use crate::metric::{self, Context, Failed};
use crate::observation::Selection;
use crate::step::{SelectStep, Step};

/// What the metrics ask for together.
#[derive(Debug)]
pub(crate) struct Proposed {
    /// How many, and the name of the metric that asked; nothing when nothing may be done.
    pub(crate) replicas: Option<(i32, String)>,
    /// What went wrong, although there may be a number.
    pub(crate) error: Option<String>,
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
            replicas: None,
            error: Some(error),
        };
    }
    let mut best = SelectStep {
        failed: 0,
        of: context.spec.metrics.len(),
        chosen: None,
        replicas: 0,
    };
    let mut name = String::new();
    let mut first_failure: Option<Failed> = None;
    let mut statuses = Vec::with_capacity(best.of);
    for (index, metric) in context.spec.metrics.iter().enumerate() {
        let answer = metric::evaluate(context, index, metric);
        steps.push(Step::Metric(answer.step));
        match answer.result {
            Ok(accepted) => {
                let replicas = accepted.proposal.replicas;
                // A proposal of zero gives way to any later one, as upstream.
                if best.replicas == 0 || replicas > best.replicas {
                    (best.chosen, best.replicas, name) = (Some(index), replicas, accepted.name);
                }
                statuses.push(Some(accepted.current));
            }
            Err(failed) => {
                outcome
                    .events
                    .push(Event::warning(failed.reason, failed.cause.as_str()));
                best.failed += 1;
                statuses.push(None);
                first_failure.get_or_insert(failed);
            }
        }
    }
    outcome.current_metrics = CurrentMetrics::Read(statuses);
    conclude(context, outcome, steps, (best, name, first_failure))
}

fn conclude(
    context: Context<'_>,
    outcome: &mut Outcome,
    steps: &mut Vec<Step>,
    (mut best, name, first_failure): (SelectStep, String, Option<Failed>),
) -> Proposed {
    let error = first_failure.as_ref().map(|failed| {
        let (bad, all) = (best.failed, best.of);
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
        return Proposed {
            replicas: None,
            error,
        };
    }
    let replicas = best.replicas;
    steps.push(Step::Select(best));
    let message = format!("the HPA was able to successfully calculate a replica count from {name}");
    outcome.set_condition(
        context.now,
        condition::SCALING_ACTIVE,
        Said::yes("ValidMetricFound", message),
    );
    Proposed {
        replicas: Some((replicas, name)),
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
