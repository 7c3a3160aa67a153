//! What of a [`History`] is worth keeping beyond the life of a process, and how another goes on from it.
//!
//! Upstream forgets on restart and begins by remembering the replicas it finds. That is careful where the
//! history says no more than those replicas, so nothing is kept then; and it is where we begin when what
//! was kept is missing or too old. A restart never hurries a change that would otherwise have waited.

use crate::behavior::longest_period;
use crate::fallback;
use crate::history::{History, Known, Recommendation, ScaleEvent};
use crate::spec::Spec;
use crate::stabilize::down_window;
use units::{Duration, Timestamp};

/// More entries than this in one list are merged, so that what is kept has a bounded size. With upstream's
/// sync period and the usual windows there are fewer than twenty.
pub const ENTRIES_MAX: usize = 50;

/// What more metrics than this last asked for is not kept.
pub const KNOWN_MAX: usize = 12;

const NANOS_PER_MILLI: i128 = 1_000_000;

/// How far back anything matters.
struct Reach {
    /// Only with behavior, and only if it has an upward window.
    up: Option<Duration>,
    down: Duration,
    events: Option<Duration>,
}

impl Reach {
    fn of(spec: &Spec) -> Self {
        let config = spec.effective_config();
        let Some(behavior) = &spec.behavior else {
            return Self {
                up: None,
                down: config.downscale_stabilization,
                events: None,
            };
        };
        let seconds = |n: i32| Duration::from_seconds(i64::from(n));
        let up = behavior.up.stabilization_window_seconds.unwrap_or(0);
        Self {
            up: (up > 0).then(|| seconds(up)),
            down: seconds(down_window(behavior, &config)),
            // Each direction's policies count the changes of both.
            events: Some(longest_period(&behavior.up).max(longest_period(&behavior.down))),
        }
    }
}

/// What of `history` can still matter to a target of so many `replicas`, in order of time, in whole
/// milliseconds, at most [`ENTRIES_MAX`] a list. `None` when beginning anew would decide the same number.
///
/// A recommendation matters while its window lasts and no later one is as high (for scaling down) or as low
/// (for scaling up). One that the bounds turn into the replicas there are says nothing new.
pub fn essence(now: Timestamp, spec: &Spec, replicas: i32, history: &History) -> Option<History> {
    let reach = Reach::of(spec);
    let recommendations = outstanding(now, &reach, history);
    let bounded = |n: i32| n.min(spec.max_replicas).max(spec.min());
    let says_nothing = recommendations
        .iter()
        .all(|r| bounded(r.replicas) == bounded(replicas));
    let kept = History {
        recommendations: (!says_nothing).then(|| thinned(recommendations)),
        ups: recent(now, reach.events, &history.ups),
        downs: recent(now, reach.events, &history.downs),
        known: known(now, spec, history),
    };
    (kept != History::default()).then_some(kept)
}

/// A change that somebody else made, as one who looks on sees it. Upstream: storeScaleEvent, which only knows its own.
pub fn observed(history: &mut History, now: Timestamp, spec: &Spec, from: i32, to: i32) {
    let Some(behavior) = spec.behavior.as_ref().filter(|_| from != to) else {
        return;
    };
    let rules = if to > from {
        &behavior.up
    } else {
        &behavior.down
    };
    history.scaled(now, from, to, longest_period(rules));
}

/// Whether two essences lead to the same decisions. The time of the newest recommendation does not count:
/// every look repeats it, and [`resume`] takes it as made just now. Nor does a little of the time at which a
/// metric was last known, which every look renews too: what is written may make it older, never younger.
pub fn same(spec: &Spec, one: Option<&History>, other: Option<&History>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return one.is_none() && other.is_none();
    };
    let split = |history: &History| {
        let list = history.recommendations.clone().unwrap_or_default();
        list.split_last()
            .map(|(newest, rest)| (newest.replicas, rest.to_vec()))
    };
    split(one) == split(other)
        && one.ups == other.ups
        && one.downs == other.downs
        && same_known(spec, &one.known, &other.known)
}

fn same_known(spec: &Spec, one: &[Known], other: &[Known]) -> bool {
    let slack = fallback::slack(spec);
    let alike = |(a, b): (&Known, &Known)| {
        let apart = a.at.max(b.at).since(a.at.min(b.at));
        a.metric == b.metric && a.replicas == b.replicas && apart <= slack
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

/// What metrics last asked for, while that may count: in the order of the specification, in whole milliseconds.
fn known(now: Timestamp, spec: &Spec, history: &History) -> Vec<Known> {
    let mut known = fallback::outstanding(now, spec, &history.known);
    known.truncate(KNOWN_MAX);
    for one in &mut known {
        one.at = earlier_millis(one.at);
    }
    known
}

/// The history with which a controller goes on that finds `stored`, a target of so many `replicas`, and a
/// status that says `expected` of them.
///
/// The newest recommendation counts as made just now: it was repeated until the last controller ended.
/// Where that could hurry anything, the replicas there are count as recommended just now, too: when the
/// target is not as the status says (the last controller ended in the middle of a change, or somebody else
/// made one), and when the newest recommendation is so old that nobody knows what was recommended since.
pub fn resume(
    now: Timestamp,
    spec: &Spec,
    replicas: i32,
    expected: i32,
    stored: &History,
) -> History {
    let reach = Reach::of(spec);
    let mut list = outstanding(now, &reach, stored);
    let (ups, downs) = (
        recent(now, reach.events, &stored.ups),
        recent(now, reach.events, &stored.downs),
    );
    let known = fallback::outstanding(now, spec, &stored.known);
    let Some(newest) = list.last().copied() else {
        return History {
            recommendations: None,
            ups,
            downs,
            known,
        };
    };
    // As old as what a first decision remembers.
    let at = now.minus(Duration::from_nanos(1));
    // Without behavior, the highest recommendation is not only held but gone to: one above the present
    // replicas keeps its own time, and holds only them for longer.
    let repeated = match &spec.behavior {
        Some(_) => newest.replicas,
        None => newest.replicas.min(replicas),
    };
    let unknown_since = reach.down > Duration::ZERO && newest.at < now.minus(reach.down);
    list.push(Recommendation {
        at,
        replicas: repeated,
    });
    if replicas != expected || unknown_since {
        list.push(Recommendation { at, replicas });
    }
    History {
        recommendations: Some(list),
        ups,
        downs,
        known,
    }
}

/// The recommendations that can still be the highest or the lowest of a window, and the newest.
fn outstanding(now: Timestamp, reach: &Reach, history: &History) -> Vec<Recommendation> {
    let within = |r: &Recommendation, window: Duration| r.at >= now.minus(window);
    let mut all: Vec<Recommendation> = history
        .recommendations
        .iter()
        .flatten()
        .filter(|r| within(r, reach.down) || reach.up.is_some_and(|up| within(r, up)))
        .map(|r| Recommendation {
            at: whole_millis(r.at),
            replicas: r.replicas,
        })
        .collect();
    all.sort_by_key(|r| r.at);
    let (mut highest, mut lowest) = (i32::MIN, i32::MAX);
    let mut kept: Vec<Recommendation> = Vec::new();
    for one in all.into_iter().rev() {
        let rises = one.replicas > highest && within(&one, reach.down);
        let falls = one.replicas < lowest && reach.up.is_some_and(|up| within(&one, up));
        if kept.is_empty() || rises || falls {
            kept.push(one);
        }
        highest = highest.max(one.replicas);
        lowest = lowest.min(one.replicas);
    }
    kept.reverse();
    kept
}

fn recent(now: Timestamp, reach: Option<Duration>, events: &[ScaleEvent]) -> Vec<ScaleEvent> {
    let Some(reach) = reach else {
        return Vec::new();
    };
    let mut kept: Vec<ScaleEvent> = events
        .iter()
        .filter(|e| e.at > now.minus(reach))
        .map(|e| ScaleEvent {
            at: whole_millis(e.at),
            change: e.change,
        })
        .collect();
    kept.sort_by_key(|e| e.at);
    while kept.len() > ENTRIES_MAX {
        kept = in_pairs(&kept, |older, newer| ScaleEvent {
            at: newer.at,
            change: older.change.saturating_add(newer.change),
        });
    }
    kept
}

/// Those above the newest fall with time and those below it rise: of two neighbours on a side the older is
/// the stricter, and holding it until the younger ends is careful.
fn thinned(list: Vec<Recommendation>) -> Vec<Recommendation> {
    let Some(newest) = list.last().copied() else {
        return list;
    };
    let side = |keep: &dyn Fn(i32) -> bool| {
        let mut side: Vec<_> = list.iter().copied().filter(|r| keep(r.replicas)).collect();
        while side.len() >= ENTRIES_MAX / 2 {
            side = in_pairs(&side, |older, newer| Recommendation {
                at: newer.at,
                replicas: older.replicas,
            });
        }
        side
    };
    let mut kept = side(&|n| n > newest.replicas);
    kept.extend(side(&|n| n < newest.replicas));
    kept.sort_by_key(|r| r.at);
    kept.push(newest);
    kept
}

fn in_pairs<T: Copy>(list: &[T], merge: impl Fn(T, T) -> T) -> Vec<T> {
    list.chunks(2)
        .filter_map(|pair| match pair {
            [older, newer] => Some(merge(*older, *newer)),
            [alone] => Some(*alone),
            _ => None,
        })
        .collect()
}

/// Rounded down: nothing counts for longer than it may.
fn earlier_millis(at: Timestamp) -> Timestamp {
    let millis = at.nanos().div_euclid(NANOS_PER_MILLI);
    Timestamp::from_nanos(millis.saturating_mul(NANOS_PER_MILLI))
}

/// Rounded up: nothing ends early.
fn whole_millis(at: Timestamp) -> Timestamp {
    let millis = at.nanos().saturating_add(NANOS_PER_MILLI - 1) / NANOS_PER_MILLI;
    Timestamp::from_nanos(millis.saturating_mul(NANOS_PER_MILLI))
}

#[cfg(test)]
mod tests;
