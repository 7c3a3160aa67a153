//! Events that differ only in what they say: beyond some in a while, they become one.
//!
//! Upstream: EventAggregator.

use super::remembered::Remembered;
use jiff::{SignedDuration, Timestamp};

/// So many different messages are written one by one, less one. Upstream: defaultAggregateMaxEvents.
const MESSAGES: usize = 10;
/// Quiet for so long, they begin anew. Upstream: defaultAggregateIntervalInSeconds.
const INTERVAL: SignedDuration = SignedDuration::from_secs(600);

#[derive(Debug, Default)]
pub(super) struct Similar(Remembered<Group>);

#[derive(Debug, Default)]
struct Group {
    messages: Vec<String>,
    last: Timestamp,
}

impl Similar {
    /// Whether this is one of too many different messages of its group.
    pub(super) fn too_many(&mut self, group: &str, message: &str, at: Timestamp) -> bool {
        let group = self.0.entry(group);
        if at.duration_since(group.last) > INTERVAL {
            group.messages.clear();
        }
        group.last = at;
        if group.messages.iter().any(|known| known == message) {
            return false;
        }
        if group.messages.len() + 1 >= MESSAGES {
            return true;
        }
        group.messages.push(message.to_owned());
        false
    }
}

/// Upstream: EventAggregatorByReasonMessageFunc.
pub(super) fn combined(message: &str) -> String {
    format!("(combined from similar events): {message}")
}

#[cfg(test)]
mod tests;
