//! Each step in a sentence.

use crate::limits;
use crate::options;
use crate::view::View;
use crate::words;
use hpa::step::{BoundStep, RateStep, SelectStep, StabilizeStep, Step};
use units::Duration;

/// What a step says.
pub(crate) fn of(view: &View<'_>, step: &Step) -> String {
    match step {
        Step::Options(asked) => options::lines(asked).join("; "),
        Step::Ownership(step) => options::ownership(step),
        Step::Fallback(step) => format!("{} failed; it {}", step.name, options::counts_as(step)),
        Step::Freeze {
            direction,
            before,
            after,
        } => options::freeze(*direction, *before, *after),
        Step::Pause { before, after } => options::pause(*before, *after),
        Step::DryRun { from, to } => options::dry_run(*from, *to),
        Step::NoScale { error } => format!("the target's scale cannot be read: {error}"),
        Step::Start {
            current,
            observed,
            min,
            max,
        } => format!(
            "the target is set to {current} and its status counts {observed}; minReplicas is {min}, maxReplicas {max}"
        ),
        Step::Disabled {
            scaled_to_zero,
            object_or_external,
        } => disabled(*scaled_to_zero, *object_or_external).to_owned(),
        Step::OutsideBounds { before, after } => outside(*before, *after),
        Step::NoSelection { error } => format!("its pods are not known: {error}"),
        Step::Metric(metric) => {
            let told = view.metrics.iter().find(|m| m.step.index == metric.index);
            told.map_or_else(String::new, |told| match &told.step.proposal {
                Ok(hpa::step::Proposal { replicas, .. }) => {
                    format!("{}; it asks for {replicas}", told.sentence())
                }
                Err(_) => told.sentence(),
            })
        }
        Step::Select(step) => select(view, step),
        Step::Stabilize(step) => stabilize(view, step),
        Step::Rate(step) => rate(view, step),
        Step::Bound(step) => bound(view, step),
        Step::LiftFromZero { after, .. } => {
            format!("coming from zero it goes to minReplicas {after} at once")
        }
        Step::Result { current, desired } if current == desired => format!("it stays at {current}"),
        Step::Result { .. } => match (view.reason, view.withheld) {
            (None, Some(withheld)) => {
                format!(
                    "nothing is done; the reason would be: {}",
                    withheld.change.reason
                )
            }
            (reason, _) => format!("the event's reason: {}", reason.unwrap_or_default()),
        },
        Step::Kept { desired } => {
            format!("nothing is done, and the status keeps {desired} as desired")
        }
    }
}

const fn disabled(scaled_to_zero: bool, object_or_external: bool) -> &'static str {
    if scaled_to_zero && !object_or_external {
        "this autoscaler scaled it to zero, and no metric can be read without pods (that takes an Object or \
         External metric, or minReplicas above 0)"
    } else {
        "the target is set to zero, which disables scaling until it is set to 1 or more by hand"
    }
}

fn outside(before: i32, after: i32) -> String {
    if before > after {
        format!("{before} is more than maxReplicas {after}, so no metric was asked")
    } else {
        format!("{before} is less than minReplicas {after}, so no metric was asked")
    }
}

fn select(view: &View<'_>, step: &SelectStep) -> String {
    let all = words::count(step.of, "metric");
    let Some(chosen) = view.chosen() else {
        return match (step.of, step.failed) {
            (0, _) => "there is no metric".to_owned(),
            (1, _) => "the only metric failed, so nothing may be done".to_owned(),
            (of, failed) if of == failed => {
                format!("{failed} of {all} failed, so nothing may be done")
            }
            (_, failed) => format!(
                "{failed} of {all} failed and might have asked for more than {}; nothing is scaled down on the rest",
                step.replicas
            ),
        };
    };
    let below = if step.replicas < 0 {
        "; a number below zero counts as zero"
    } else {
        ""
    };
    if step.of == 1 {
        return format!("{} is the only metric{below}", chosen.name());
    }
    let failed = if step.failed > 0 {
        format!("; {} failed, and could only have raised that", step.failed)
    } else {
        String::new()
    };
    format!(
        "{} asks for the most of {all}{failed}{below}",
        chosen.name()
    )
}

fn stabilize(view: &View<'_>, step: &StabilizeStep) -> String {
    if let Some(held) = limits::stabilized(step, view.current) {
        return held;
    }
    let most = looked_back("down", "most", step.down_window, step.highest);
    let Some(up) = step.up_window else {
        return format!("nothing held it: {most}");
    };
    let lowest = step.lowest.unwrap_or(step.before);
    let least = looked_back("up", "least", up, lowest);
    format!("nothing held it: {least}, {most}")
}

fn looked_back(direction: &str, which: &str, window: Duration, replicas: i32) -> String {
    if window <= Duration::ZERO {
        return format!("scaling {direction} does not look back");
    }
    format!(
        "the {which} asked for in the last {} is {replicas}",
        words::span(window)
    )
}

fn rate(view: &View<'_>, step: &RateStep) -> String {
    if let Some(limited) = limits::rate(step, view.current) {
        return limited;
    }
    let direction = if step.up { "up" } else { "down" };
    let bound = if step.up {
        "maxReplicas"
    } else {
        "minReplicas"
    };
    format!(
        "nothing limited it: scaling {direction} may go to {}, {bound} is {}",
        step.limit, step.bound
    )
}

fn bound(view: &View<'_>, step: &BoundStep) -> String {
    if let Some(limited) = limits::bound(step, view.current) {
        return limited;
    }
    format!(
        "nothing limited it: minReplicas {}, maxReplicas {}, and at most {} at once without behavior",
        step.min, step.max, step.up_limit
    )
}
