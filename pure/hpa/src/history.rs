//! What the controller remembers from one decision to the next.
//!
//! Upstream keeps this in memory and loses it on restart: HorizontalController.recommendations,
//! scaleUpEvents, scaleDownEvents.

use units::{Duration, Timestamp};

/// A list longer than this loses recommendations that a later one makes meaningless, or its oldest entries.
/// Upstream's are bounded only by their windows.
const ENTRIES_MAX: usize = 1_024;

/// What was recommended and done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// What the metrics asked for; `None` before the first decision, which is not the same as empty.
    pub recommendations: Option<Vec<Recommendation>>,
    /// Replicas added.
    pub ups: Vec<ScaleEvent>,
    /// Replicas removed.
    pub downs: Vec<ScaleEvent>,
    /// What each metric last asked for; only where it may be fallen back on.
    pub known: Vec<Known>,
}

/// What the metrics asked for at one time, before anything stabilized it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub replicas: i32,
}

/// A change that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleEvent {
    /// When.
    pub at: Timestamp,
    /// By how many; never negative.
    pub change: i32,
}

/// What a metric last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its [`identity`](crate::Metric::identity).
    pub metric: u64,
    /// When.
    pub at: Timestamp,
    /// How many; never negative.
    pub replicas: i32,
}

impl History {
    /// The first decision remembers what it found. Upstream: recordInitialRecommendation.
    pub(crate) fn begin(&mut self, now: Timestamp, replicas: i32) {
        // Upstream reads the clock again when it looks back, so that this entry is already older than a
        // window of no length. One nanosecond says the same.
        let at = now.minus(Duration::from_nanos(1));
        self.recommendations
            .get_or_insert_with(|| vec![Recommendation { at, replicas }]);
    }

    /// Remembers a recommendation in the place of the last one for which `old` holds, else at the end.
    pub(crate) fn recommend(&mut self, new: Recommendation, old: impl Fn(&Recommendation) -> bool) {
        let list = self.recommendations.get_or_insert_default();
        replace_last(list, new, old);
        if list.len() > ENTRIES_MAX {
            prune(list);
            keep_newest(list);
        }
    }

    /// Remembers a change. Upstream: storeScaleEvent.
    pub(crate) fn scaled(&mut self, now: Timestamp, from: i32, to: i32, longest_period: Duration) {
        let cutoff = now.minus(longest_period);
        let (list, change) = if to > from {
            (&mut self.ups, to.wrapping_sub(from))
        } else {
            (&mut self.downs, from.wrapping_sub(to))
        };
        replace_last(list, ScaleEvent { at: now, change }, |event| {
            event.at < cutoff
        });
        keep_newest(list);
    }
}

fn replace_last<T>(list: &mut Vec<T>, new: T, old: impl Fn(&T) -> bool) {
    match list.iter().rposition(old) {
        Some(index) => list[index] = new,
        None => list.push(new),
    }
}

fn keep_newest<T>(list: &mut Vec<T>) {
    if list.len() > ENTRIES_MAX {
        list.drain(..list.len() - ENTRIES_MAX);
    }
}

/// Keeps what can still be the highest or the lowest of some window that ends now or later: what is higher, or lower,
/// than all that came after it. Who looks every second remembers an hour that way.
fn prune(list: &mut Vec<Recommendation>) {
    list.sort_by_key(|one| one.at);
    let (mut highest, mut lowest) = (i32::MIN, i32::MAX);
    let mut kept: Vec<Recommendation> = Vec::new();
    for one in list.iter().rev() {
        if one.replicas > highest || one.replicas < lowest {
            highest = highest.max(one.replicas);
            lowest = lowest.min(one.replicas);
            kept.push(*one);
        }
    }
    kept.reverse();
    *list = kept;
}

/// What was changed in one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    pub(crate) change: i32,
    pub(crate) oldest: Option<Timestamp>,
}

/// How much was changed within a period. Upstream: getReplicasChangePerPeriod.
pub(crate) fn changes_after(events: &[ScaleEvent], cutoff: Timestamp) -> Changes {
    let within = || events.iter().filter(|e| e.at > cutoff);
    Changes {
        change: within().fold(0, |sum: i32, e| sum.wrapping_add(e.change)),
        oldest: within().map(|e| e.at).min(),
    }
}

#[cfg(test)]
mod tests;
