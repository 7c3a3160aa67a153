//! What the options must have made of the number.

use super::{Audit, check, same};
use crate::options::{Direction, Options, PodSelection};
use crate::step::{FallbackFrom, FallbackStep, OwnershipStep};

/// Which of the rules that hold a change back have been asked.
#[derive(Debug, Default)]
pub(super) struct Held {
    freeze: bool,
    pause: bool,
    dry_run: bool,
}

impl<'a> Audit<'a> {
    pub(super) fn options(&mut self, options: &'a Options) -> Result<(), String> {
        check("options only before anything else", self.start.is_none())?;
        check("options that ask for something", options.any())?;
        self.options = Some(options);
        Ok(())
    }

    fn asked(&self, what: &str, holds: impl Fn(&Options) -> bool) -> Result<(), String> {
        check(what, self.options.is_some_and(holds))
    }

    pub(super) fn ownership(&self, step: &OwnershipStep) -> Result<(), String> {
        self.asked("ownership only where it is asked for", |o| {
            o.pod_selection == PodSelection::Owner
        })?;
        self.started()?;
        let named = step.left_out.iter().all(|l| !l.pod.is_empty());
        check("names of all pods that are left out", named)
    }

    /// A failed metric gets a number after all.
    pub(super) fn fallback(&mut self, step: &FallbackStep) -> Result<(), String> {
        self.asked("a fallback only where it is asked for", |o| {
            o.fallback.is_some()
        })?;
        same(
            "the fallback's metric",
            step.index + 1,
            self.proposals.len(),
        )?;
        let counts = match step.from {
            FallbackFrom::Fixed => true,
            FallbackFrom::LastKnown { age, max_age } => age.is_some_and(|age| age < max_age),
        };
        same(
            "whether the fallback counts",
            step.replicas.is_some(),
            counts,
        )?;
        let Some(proposal) = self.proposals.last_mut() else {
            return Err("a fallback before all metrics".to_owned());
        };
        same("the proposal of what has fallen back", *proposal, None)?;
        *proposal = step.replicas;
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        direction: Direction,
        (before, after): (i32, i32),
    ) -> Result<(), String> {
        self.asked("a freeze only where it is asked for", |o| {
            o.freeze == Some(direction)
        })?;
        let current = self.started()?.current;
        same("frozen from", before, self.standing()?)?;
        let least = match direction {
            Direction::Up => before.min(current),
            Direction::Down => before.max(current),
        };
        same("frozen to", after, least)?;
        self.number = Some(after);
        self.held.freeze = true;
        Ok(())
    }

    pub(super) fn pause(&mut self, (before, after): (i32, i32)) -> Result<(), String> {
        self.asked("a pause only where it is asked for", |o| o.paused)?;
        same("paused from", before, self.standing()?)?;
        same("paused at", after, self.started()?.current)?;
        self.number = Some(after);
        self.held.pause = true;
        Ok(())
    }

    pub(super) fn dry_run(&mut self, from: i32, to: i32) -> Result<(), String> {
        self.asked("a dry run only where it is asked for", |o| {
            o.dry_run && !o.paused
        })?;
        same("the dry run's beginning", from, self.started()?.current)?;
        same("the dry run's end", to, self.standing()?)?;
        self.held.dry_run = true;
        Ok(())
    }

    /// No rule that is on was passed over.
    pub(super) fn all_were_asked(&self) -> Result<(), String> {
        let (options, held) = (self.options, &self.held);
        let on = |rule: &dyn Fn(&Options) -> bool| options.is_some_and(rule);
        same("a freeze", held.freeze, on(&|o| o.freeze.is_some()))?;
        same("a pause", held.pause, on(&|o| o.paused))?;
        same("a dry run", held.dry_run, on(&|o| o.dry_run && !o.paused))
    }
}
