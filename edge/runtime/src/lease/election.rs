//! Who leads, as far as one candidate can tell: no clock and no requests.
//!
//! Upstream: tryAcquireOrRenew.

use jiff::Timestamp;
use std::time::Duration;

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who leads; nobody when empty.
    pub holder: String,
    /// How long the others wait when it falls silent.
    pub duration: Duration,
    /// When the holder's time began, by its clock.
    pub acquired: Timestamp,
    /// When it was last renewed, by its clock.
    pub renewed: Timestamp,
    /// How often the holder changed.
    pub transitions: i32,
}

/// One candidate's view. `at` is always the time since one fixed moment, by a clock that never goes back.
#[derive(Debug, Clone)]
pub struct Election {
    identity: String,
    duration: Duration,
    renew_deadline: Duration,
    /// The lease, and when it was first seen to be so.
    seen: Option<(Record, Duration)>,
    /// Until when this one leads.
    until: Option<Duration>,
}

impl Election {
    /// One who has seen nothing.
    pub fn new(identity: &str, duration: Duration, renew_deadline: Duration) -> Self {
        Self {
            identity: identity.to_owned(),
            duration,
            renew_deadline,
            seen: None,
            until: None,
        }
    }

    /// Until when this one leads, unless it renews its lease.
    pub fn leads_until(&self) -> Option<Duration> {
        self.until
    }

    /// Whether this one leads.
    pub fn leads(&self, at: Duration) -> bool {
        self.until.is_some_and(|until| at < until)
    }

    /// Who was last seen to lead.
    pub fn holder(&self) -> &str {
        self.seen
            .as_ref()
            .map_or("", |(record, _)| record.holder.as_str())
    }

    /// When the lease that was seen runs out, if it does not change.
    pub fn runs_out(&self) -> Option<Duration> {
        let (record, since) = self.seen.as_ref()?;
        Some(*since + record.duration)
    }

    /// The lease was read. Who sees another's name in it leads no longer.
    pub fn saw(&mut self, at: Duration, record: Option<Record>) {
        let Some(record) = record else {
            (self.seen, self.until) = (None, None);
            return;
        };
        if record.holder != self.identity {
            self.until = None;
        }
        if self.seen.as_ref().is_none_or(|(known, _)| *known != record) {
            self.seen = Some((record, at));
        }
    }

    /// What to write, if the lease is ours or free.
    pub fn bid(&self, at: Duration, wall: Timestamp) -> Option<Record> {
        let mut bid = Record {
            holder: self.identity.clone(),
            duration: self.duration,
            acquired: wall,
            renewed: wall,
            transitions: 0,
        };
        let Some((record, since)) = &self.seen else {
            return Some(bid);
        };
        if record.holder == self.identity {
            bid.acquired = record.acquired;
            bid.transitions = record.transitions;
            return Some(bid);
        }
        let free = record.holder.is_empty() || *since + record.duration <= at;
        bid.transitions = record.transitions.saturating_add(1);
        free.then_some(bid)
    }

    /// The bid was accepted, which was sent at `at`.
    pub fn won(&mut self, at: Duration, bid: Record) {
        self.seen = Some((bid, at));
        self.until = Some(at + self.renew_deadline);
    }

    /// This one leads no longer, whatever the lease says.
    pub fn step_down(&mut self) {
        self.until = None;
    }

    /// What to write to let the next one in at once; nothing if the lease is not ours.
    pub fn release(&self, wall: Timestamp) -> Option<Record> {
        let (record, _) = self.seen.as_ref()?;
        (record.holder == self.identity).then(|| Record {
            holder: String::new(),
            duration: Duration::from_secs(1),
            acquired: wall,
            renewed: wall,
            transitions: record.transitions,
        })
    }
}

#[cfg(test)]
mod tests;
