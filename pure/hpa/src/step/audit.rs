//! A second opinion: the number from the steps alone.
//!
//! Written apart from the code that decides, so that a mistake must be made twice to go unseen. It shares
//! with it only the conversion of floats to integers.

mod metric;
mod options;

use super::{BoundStep, MetricStep, PolicyStep, RateStep, SelectStep, StabilizeStep, Step};
use crate::arithmetic::to_i32;
use crate::options::Options;
use crate::spec::{PolicyKind, SelectPolicy};

/// Recomputes a decision from its steps alone, and gives what its status must call desired.
///
/// Every figure of every step is recomputed from what is before it: groups from rules, sums from pods,
/// ratios from sums, proposals from ratios, the choice from the proposals, and what each of stabilization,
/// policies and bounds made of it. An error names the first step that does not follow, both numbers, and
/// is a defect of this crate.
pub fn audit(steps: &[Step]) -> Result<i32, String> {
    let mut audit = Audit::default();
    for step in steps {
        audit.step(step)?;
    }
    audit
        .answer
        .ok_or_else(|| "the steps end without a result".to_owned())
}

/// What the steps so far amount to.
#[derive(Debug, Default)]
struct Audit<'a> {
    options: Option<&'a Options>,
    start: Option<Start>,
    /// What each metric asks for; nothing from one that failed.
    proposals: Vec<Option<i32>>,
    /// The number as it stands; none as long as nothing says what to do.
    number: Option<i32>,
    /// Which of the rules that hold a change back have been asked.
    held: options::Held,
    answer: Option<i32>,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    current: i32,
    observed: i32,
    min: i32,
    max: i32,
}

/// Says what differs.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, said: T, found: T) -> Result<(), String> {
    if said == found {
        Ok(())
    } else {
        Err(format!(
            "{what}: the step says {said:?}, recomputed it is {found:?}"
        ))
    }
}

fn check(what: &str, holds: bool) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("there should be {what}"))
    }
}

impl<'a> Audit<'a> {
    fn step(&mut self, step: &'a Step) -> Result<(), String> {
        match step {
            Step::Options(options) => self.options(options),
            Step::Start {
                current,
                observed,
                min,
                max,
            } => {
                self.start = Some(Start {
                    current: *current,
                    observed: *observed,
                    min: *min,
                    max: *max,
                });
                Ok(())
            }
            Step::NoScale { .. } => {
                check("no scale only before anything else", self.start.is_none())
            }
            Step::Ownership(step) => self.ownership(step),
            Step::Disabled {
                scaled_to_zero,
                object_or_external,
            } => self.disabled(*scaled_to_zero && *object_or_external, *scaled_to_zero),
            Step::OutsideBounds { before, after } => self.outside(*before, *after),
            Step::NoSelection { .. } => check(
                "a missing selection only before all metrics",
                self.proposals.is_empty(),
            ),
            Step::Metric(metric) => self.metric(metric),
            Step::Fallback(step) => self.fallback(step),
            Step::Select(select) => self.select(select),
            Step::Stabilize(step) => self.stabilize(step),
            Step::Rate(step) => self.rate(step),
            Step::Bound(step) => self.bound(step),
            Step::LiftFromZero { before, after } => self.lift(*before, *after),
            Step::Freeze {
                direction,
                before,
                after,
            } => self.freeze(*direction, (*before, *after)),
            Step::Pause { before, after } => self.pause((*before, *after)),
            Step::DryRun { from, to } => self.dry_run(*from, *to),
            Step::Result { current, desired } => self.result(*current, *desired),
            Step::Kept { desired } => {
                check("no number where the old one is kept", self.number.is_none())?;
                self.answer = Some(*desired);
                Ok(())
            }
        }
    }

    fn started(&self) -> Result<Start, String> {
        self.start
            .ok_or_else(|| "a step precedes the start".to_owned())
    }

    fn standing(&self) -> Result<i32, String> {
        self.number
            .ok_or_else(|| "a step changes a number that is not there yet".to_owned())
    }

    fn disabled(&mut self, without_pods: bool, scaled_to_zero: bool) -> Result<(), String> {
        let start = self.started()?;
        same("disabled at", 0, start.current)?;
        let from_zero = without_pods || (scaled_to_zero && start.min != 0);
        check(
            "nothing that scales from zero where it is disabled",
            !from_zero,
        )?;
        self.number = Some(0);
        Ok(())
    }

    fn outside(&mut self, before: i32, after: i32) -> Result<(), String> {
        let start = self.started()?;
        same("outside the bounds from", before, start.current)?;
        check("replicas outside the bounds", before != 0)?;
        let bound = if before > start.max {
            start.max
        } else {
            before.max(start.min)
        };
        same("outside the bounds to", after, bound)?;
        check("a move into the bounds", before != after)?;
        self.number = Some(after);
        Ok(())
    }

    fn metric(&mut self, step: &MetricStep) -> Result<(), String> {
        let start = self.started()?;
        same("the metric's place", step.index, self.proposals.len())?;
        let proposal = metric::proposal(start, step)
            .map_err(|error| format!("metric {}: {error}", step.index))?;
        self.proposals.push(proposal);
        Ok(())
    }

    fn select(&mut self, step: &SelectStep) -> Result<(), String> {
        let start = self.started()?;
        same("the number of metrics", step.of, self.proposals.len())?;
        let failed = self.proposals.iter().filter(|p| p.is_none()).count();
        same("failed metrics", step.failed, failed)?;
        let (mut best, mut chosen) = (0, None);
        for (index, proposal) in self.proposals.iter().enumerate() {
            if let Some(asked) = proposal.filter(|asked| best == 0 || *asked > best) {
                (best, chosen) = (asked, Some(index));
            }
        }
        same("the selected number", step.replicas, best)?;
        let blocked = failed == step.of || (failed > 0 && best < start.current);
        if blocked {
            return same("the chosen metric", step.chosen, None);
        }
        same("the chosen metric", step.chosen, chosen)?;
        self.number = Some(best.max(0));
        Ok(())
    }

    fn stabilize(&mut self, step: &StabilizeStep) -> Result<(), String> {
        let (before, start) = (self.standing()?, self.started()?);
        same("stabilization from", step.before, before)?;
        let within = |up: bool| {
            step.recent.iter().filter_map(move |past| {
                let within = match step.up_window {
                    None => !up && past.age <= step.down_window,
                    Some(window) if up => past.age < window,
                    Some(_) => past.age < step.down_window,
                };
                within.then_some(past.replicas)
            })
        };
        let highest = within(false).fold(before, i32::max);
        same("the highest recommendation", step.highest, highest)?;
        let after = if step.up_window.is_none() {
            same("the lowest recommendation", step.lowest, None)?;
            highest
        } else {
            let lowest = within(true).fold(before, i32::min);
            same("the lowest recommendation", step.lowest, Some(lowest))?;
            start.current.max(lowest).min(highest)
        };
        same("stabilization to", step.after, after)?;
        self.number = Some(after);
        Ok(())
    }

    fn rate(&mut self, step: &RateStep) -> Result<(), String> {
        let (before, start) = (self.standing()?, self.started()?);
        same("policies from", step.before, before)?;
        check("policies only for a change", before != start.current)?;
        same(
            "the policies' direction is up",
            step.up,
            before > start.current,
        )?;
        for policy in &step.policies {
            let begun = start
                .current
                .wrapping_sub(policy.added)
                .wrapping_add(policy.removed);
            same("the replicas before", policy.start, begun)?;
            same("a policy's limit", policy.limit, reach(step.up, policy))?;
        }
        let limits = step.policies.iter().map(|p| p.limit);
        let limit = match (step.select, step.up) {
            (SelectPolicy::Disabled, _) => start.current,
            (SelectPolicy::Max, true) => limits.fold(i32::MIN, i32::max),
            (SelectPolicy::Min, true) => limits.fold(i32::MAX, i32::min),
            (SelectPolicy::Max, false) => limits.fold(i32::MAX, i32::min),
            (SelectPolicy::Min, false) => limits.fold(i32::MIN, i32::max),
        };
        same("the policies' limit", step.limit, limit)?;
        let (bound, allowed, after) = if step.up {
            let allowed = limit.max(start.current).min(start.max);
            (start.max, allowed, before.min(allowed))
        } else {
            let allowed = limit.min(start.current).max(start.min);
            (start.min, allowed, before.max(allowed))
        };
        same("the bound", step.bound, bound)?;
        same("what is allowed", step.allowed, allowed)?;
        same("policies to", step.after, after)?;
        self.number = Some(after);
        Ok(())
    }

    fn bound(&mut self, step: &BoundStep) -> Result<(), String> {
        let (before, start) = (self.standing()?, self.started()?);
        same("bounds from", step.before, before)?;
        same("the bounds", (step.min, step.max), (start.min, start.max))?;
        let up_limit = to_i32((f64::from(start.current) * 2.0).max(4.0));
        same("the limit on scaling up", step.up_limit, up_limit)?;
        let after = if before < step.min {
            step.min
        } else {
            before.min(step.max.min(up_limit))
        };
        same("bounds to", step.after, after)?;
        self.number = Some(after);
        Ok(())
    }

    fn lift(&mut self, before: i32, after: i32) -> Result<(), String> {
        let start = self.started()?;
        same("lifted from", before, self.standing()?)?;
        same("lifted at", 0, start.current)?;
        same("lifted to", after, start.min)?;
        check("a higher number after lifting", after > before)?;
        self.number = Some(after);
        Ok(())
    }

    fn result(&mut self, current: i32, desired: i32) -> Result<(), String> {
        self.all_were_asked()?;
        same("the result's beginning", current, self.started()?.current)?;
        same("the result", desired, self.standing()?)?;
        self.answer = Some(desired);
        Ok(())
    }
}

/// How far one policy lets the replicas go.
fn reach(up: bool, policy: &PolicyStep) -> i32 {
    let (from, value) = (policy.start, policy.value);
    match policy.kind {
        PolicyKind::Pods if up => from.wrapping_add(value),
        PolicyKind::Pods => from.wrapping_sub(value),
        PolicyKind::Percent => {
            let share = f64::from(value) / 100.0;
            let factor = if up { 1.0 + share } else { 1.0 - share };
            let reached = f64::from(from) * factor;
            to_i32(if up { reached.ceil() } else { reached })
        }
    }
}

#[cfg(test)]
mod tests;
