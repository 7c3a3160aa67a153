//! Says what is measured and not served: all of it is counted, and of each kind a line a minute is logged.

use crate::telemetry::Telemetry;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use usage::Dropped;
use usage::drops::Why;

/// How long nothing more is logged of one kind.
const QUIET: Duration = Duration::from_secs(60);

/// What was logged of each kind, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Drops(Mutex<BTreeMap<&'static str, Told>>);

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl Drops {
    /// Counts and perhaps logs what of a node's answer is of no use.
    pub(crate) fn tell(&self, node: &str, dropped: &[Dropped<'_>], telemetry: &Telemetry) {
        for one in dropped {
            let kind = one.why.word();
            telemetry.dropped(kind);
            let Some(count) = self.due(kind, Instant::now()) else {
                continue;
            };
            let (of, words) = (one.of, one.words());
            match one.why {
                Why::Decrease(error) => tracing::error!(node, %of, %error, count, "{words}"),
                Why::Duplicate => tracing::error!(node, %of, count, "{words}"),
                Why::Incomplete | Why::Older => tracing::info!(node, %of, count, "{words}"),
            }
        }
    }

    /// Whether it is time for a line, and of how many since the last one.
    fn due(&self, kind: &'static str, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = kinds.entry(kind).or_default();
        told.untold += 1;
        if told.at.is_some_and(|at| now.duration_since(at) < QUIET) {
            return None;
        }
        told.at = Some(now);
        Some(std::mem::take(&mut told.untold))
    }
}

#[cfg(test)]
mod tests;
