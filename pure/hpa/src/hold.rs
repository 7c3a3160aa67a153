//! What keeps a change from being made although it was decided on: a freeze, a pause, a dry run.
//!
//! Not here: deciding on the change. None of this is done unless it is asked for.

use crate::decision::{Event, Outcome, Rescale, Said, condition};
use crate::options::{Direction, Fallback, Options};
use crate::step::{FallbackFrom, Step};
use units::Timestamp;

/// What holds a change back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Its direction is frozen.
    Frozen,
    /// The autoscaler is paused.
    Paused,
    /// It only says what it would do.
    DryRun,
}

impl Holder {
    /// The type of the condition that tells of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => condition::FROZEN,
            Self::Paused => condition::PAUSED,
            Self::DryRun => condition::DRY_RUN,
        }
    }
}

/// A change that was decided on and is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Why.
    pub by: Holder,
    /// The change.
    pub change: Rescale,
}

/// What is left of a change.
#[derive(Debug)]
pub(crate) enum Left {
    /// It is made.
    Made(Rescale),
    /// It is held back.
    Held(Withheld),
    /// There was none.
    None,
}

impl Left {
    /// What the status says is desired: of a dry run, what it would be.
    pub(crate) fn desired(&self, current: i32) -> i32 {
        match self {
            Self::Made(change) => change.to,
            Self::Held(held) if held.by == Holder::DryRun => held.change.to,
            _ => current,
        }
    }

    /// What is made, and what is held back.
    pub(crate) fn apart(self) -> (Option<Rescale>, Option<Withheld>) {
        match self {
            Self::Made(change) => (Some(change), None),
            Self::Held(withheld) => (None, Some(withheld)),
            Self::None => (None, None),
        }
    }
}

/// Asks each rule that is on whether the change may be made; says so in `steps`.
pub(crate) fn hold(
    options: &Options,
    current: i32,
    change: Option<Rescale>,
    steps: &mut Vec<Step>,
) -> Left {
    let wanted = change.as_ref().map_or(current, |c| c.to);
    let mut holder = None;
    if let Some(direction) = options.freeze {
        let moves = match direction {
            Direction::Up => wanted > current,
            Direction::Down => wanted < current,
        };
        holder = moves.then_some(Holder::Frozen);
        steps.push(Step::Freeze {
            direction,
            before: wanted,
            after: if moves { current } else { wanted },
        });
    }
    let left = if holder.is_some() { current } else { wanted };
    if options.paused {
        steps.push(Step::Pause {
            before: left,
            after: current,
        });
        holder = holder.or(Some(Holder::Paused));
    } else if options.dry_run {
        steps.push(Step::DryRun {
            from: current,
            to: left,
        });
        holder = holder.or(Some(Holder::DryRun));
    }
    match (change, holder) {
        (None, _) => Left::None,
        (Some(change), None) => Left::Made(change),
        (Some(change), Some(by)) => Left::Held(Withheld { by, change }),
    }
}

/// Conditions of our own; a condition is there only while what it tells of is on.
const OURS: [&str; 5] = [
    condition::PAUSED,
    condition::FROZEN,
    condition::DRY_RUN,
    condition::FALLBACK,
    condition::INVALID_OPTIONS,
];

/// What the conditions of our own are made from.
pub(crate) struct Spoken<'a> {
    pub(crate) now: Timestamp,
    pub(crate) options: &'a Options,
    pub(crate) withheld: Option<&'a Withheld>,
    pub(crate) steps: &'a [Step],
}

/// Says in the outcome what is on and what it does.
pub(crate) fn say(spoken: &Spoken<'_>, outcome: &mut Outcome) {
    let options = spoken.options;
    let on = |kind: &str| match kind {
        condition::PAUSED => options.paused,
        condition::FROZEN => options.freeze.is_some(),
        condition::DRY_RUN => options.dry_run,
        condition::FALLBACK => options.fallback.is_some(),
        _ => !options.problems.is_empty(),
    };
    outcome
        .conditions
        .retain(|c| !OURS.contains(&&*c.kind) || on(&c.kind));
    if !options.any() {
        return;
    }
    complain(spoken, outcome);
    if options.paused {
        let idle = "nothing is scaled".to_owned();
        let said = held(spoken, Holder::Paused, "evenkeel.dev/paused is true", idle);
        outcome.set_condition(spoken.now, condition::PAUSED, said);
    }
    if let Some(direction) = options.freeze {
        let direction = direction.as_str();
        let head = format!("evenkeel.dev/freeze is {direction}");
        let idle = format!("nothing is scaled {direction}");
        let said = held(spoken, Holder::Frozen, &head, idle);
        outcome.set_condition(spoken.now, condition::FROZEN, said);
    }
    if options.dry_run {
        let idle = match spoken.steps.last() {
            Some(Step::Result { desired, .. }) => format!("would stay at {desired}"),
            _ => "nothing could be decided".to_owned(),
        };
        let said = held(spoken, Holder::DryRun, "evenkeel.dev/dry-run is true", idle);
        outcome.set_condition(spoken.now, condition::DRY_RUN, said);
    }
    if let Some(fallback) = options.fallback {
        let said = fallen_back(spoken.steps, fallback);
        outcome.set_condition(spoken.now, condition::FALLBACK, said);
    }
}

/// What one holder has to say, whether it held anything or not.
fn held(spoken: &Spoken<'_>, by: Holder, head: &str, idle: String) -> Said {
    let Some(Withheld { change, .. }) = spoken.withheld.filter(|w| w.by == by) else {
        return Said::yes("NoChange", format!("{head}: {idle}"));
    };
    let (from, to) = (change.from, change.to);
    let verb = if by == Holder::DryRun {
        "would scale"
    } else {
        "not scaled"
    };
    let why = if change.reason.is_empty() {
        String::new()
    } else {
        format!(" ({})", change.reason)
    };
    let message = format!("{head}: {verb} from {from} to {to}{why}");
    Said::yes("ChangeWithheld", message)
}

fn fallen_back(steps: &[Step], fallback: Fallback) -> Said {
    let asked = steps.iter().filter_map(|step| match step {
        Step::Fallback(step) => Some(step),
        _ => None,
    });
    let (counting, lost): (Vec<_>, Vec<_>) = asked.partition(|step| step.replicas.is_some());
    let said: Vec<String> = counting
        .iter()
        .map(|step| {
            let replicas = step.replicas.unwrap_or(0);
            match step.from {
                FallbackFrom::Fixed => format!("{} failed and counts as {replicas}", step.name),
                FallbackFrom::LastKnown { .. } => format!(
                    "{} failed and counts as {replicas}, which it last asked for",
                    step.name
                ),
            }
        })
        .chain(lost.iter().map(|step| {
            format!(
                "{} failed, and what it last asked for is not known or too old to count",
                step.name
            )
        }))
        .collect();
    match (counting.is_empty(), lost.is_empty(), fallback) {
        (true, true, _) => Said::no("NotNeeded", "no metric that was asked has failed"),
        (true, false, _) => Said::no("NothingKnown", said.join("; ")),
        (false, _, Fallback::Replicas(_)) => Said::yes("FixedReplicas", said.join("; ")),
        (false, ..) => Said::yes("LastKnownGood", said.join("; ")),
    }
}

/// A problem is told in an event once: when the condition did not say so before.
fn complain(spoken: &Spoken<'_>, outcome: &mut Outcome) {
    let problems = &spoken.options.problems;
    if problems.is_empty() {
        return;
    }
    let message = problems.join("; ");
    let kind = condition::INVALID_OPTIONS;
    let old = outcome.conditions.iter().find(|c| c.kind == kind);
    if old.is_none_or(|c| c.message != message) {
        let events = problems.iter().map(String::as_str);
        outcome
            .events
            .extend(events.map(|p| Event::warning("InvalidOption", p)));
    }
    outcome.set_condition(spoken.now, kind, Said::yes("InvalidOption", message));
}

#[cfg(test)]
mod tests;
