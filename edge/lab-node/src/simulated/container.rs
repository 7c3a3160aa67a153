//! A simulated container: what it uses now, and what it has used.

use super::usage::{self, Steady};
use jiff::Timestamp;

/// Its CPU counter never goes back, whatever it is said to use next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) name: String,
    uses: Steady,
    since: Timestamp,
    /// Nanoseconds of a core until then.
    counted: u64,
}

impl Container {
    pub(super) fn new(name: &str, uses: Steady, started: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            uses,
            since: started,
            counted: 0,
        }
    }

    /// From `now` on it uses this much.
    pub(super) fn use_cpu(&mut self, milli: u64, now: Timestamp) {
        if self.uses.cpu_milli != milli {
            self.counted = self.cpu(now);
            self.since = now;
            self.uses.cpu_milli = milli;
        }
    }

    /// Nanoseconds of a core that it has used.
    pub(super) fn cpu(&self, now: Timestamp) -> u64 {
        let since = usage::counter(self.uses, super::kubelet::age(self.since, now));
        self.counted.saturating_add(since)
    }

    /// Bytes.
    pub(super) fn memory(&self) -> u64 {
        self.uses.memory
    }
}

#[cfg(test)]
mod tests;
