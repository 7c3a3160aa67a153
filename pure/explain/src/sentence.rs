//! Each step in a sentence.

use crate::limits;
use crate::view::View;
use crate::words;
use hpa::step::{BoundStep, RateStep, SelectStep, StabilizeStep, Step};

/// What a step says.
pub(crate) fn of(view: &View<'_>, step: &Step) -> String {
    match step {
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
        Step::NoSelection { error } => format!("its pods cannot be told: {error}"),
        Step::Metric(metric) => {
            let told = view.metrics.iter().find(|m| m.step.index == metric.index);
            told.map_or_else(String::new, |told| match told.proposal() {
                Some(replicas) => format!("{}; it asks for {replicas}", told.sentence()),
                None => told.sentence(),
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
        Step::Result { current, desired } => format!("it goes from {current} to {desired}"),
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
        "somebody set the target to zero, which disables scaling until somebody sets it to 1 or more"
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
            (of, failed) if of == failed => {
                format!("{failed} of {all} failed, so nothing may be done")
            }
            (_, failed) => format!(
                "{failed} of {all} failed and might have asked for more than {}; nothing is scaled down on the rest",
                step.replicas
            ),
        };
    };
    if step.of == 1 {
        return format!("{} is the only metric", chosen.name());
    }
    let failed = if step.failed > 0 {
        format!(
            "; {} failed, and could only have asked for more",
            step.failed
        )
    } else {
        String::new()
    };
    format!("{} asks for the most of {all}{failed}", chosen.name())
}

fn stabilize(view: &View<'_>, step: &StabilizeStep) -> String {
    if let Some(held) = limits::stabilized(step, view.current) {
        return held;
    }
    let down = words::span(step.down_window);
    match step.up_window {
        None => format!(
            "nothing held it: the most recommended in the last {down} is {}",
            step.highest
        ),
        Some(up) => {
            let lowest = step.lowest.unwrap_or(step.before);
            format!(
                "nothing held it: the least recommended in the last {} is {lowest}, the most in the last {down} is {}",
                words::span(up),
                step.highest
            )
        }
    }
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
        "nothing limited it: minReplicas is {}, maxReplicas {}, and without behavior it may grow to {} at once",
        step.min, step.max, step.up_limit
    )
}
