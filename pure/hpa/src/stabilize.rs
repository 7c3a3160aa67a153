//! Looking back: recent recommendations hold the number up, or down.
//!
//! Upstream: horizontal.go, stabilizeRecommendation and stabilizeRecommendationWithBehaviors.

use crate::arithmetic::to_i32;
use crate::history::{History, Recommendation};
use crate::spec::{Behavior, Config};
use crate::step::{Past, StabilizeStep};
use units::{Duration, Timestamp};

/// Without behavior: the highest recommendation within the flag's window.
pub(crate) fn legacy(
    now: Timestamp,
    desired: i32,
    window: Duration,
    history: &mut History,
) -> StabilizeStep {
    let cutoff = now.minus(window);
    let recent = recent(now, history, |r| r.at >= cutoff);
    let highest = recent.iter().fold(desired, |max, r| max.max(r.replicas));
    history.recommend(
        Recommendation {
            at: now,
            replicas: desired,
        },
        |r| r.at < cutoff,
    );
    StabilizeStep {
        up_window: None,
        down_window: window,
        recent,
        lowest: None,
        highest,
        before: desired,
        after: highest,
    }
}

/// With behavior: not above the lowest within the up window, not below the highest within the down window.
pub(crate) fn with_behavior(
    now: Timestamp,
    (current, desired): (i32, i32),
    behavior: &Behavior,
    config: &Config,
    history: &mut History,
) -> StabilizeStep {
    let seconds = |n: i32| Duration::from_seconds(i64::from(n));
    let up = seconds(behavior.up.stabilization_window_seconds.unwrap_or(0));
    let down = seconds(down_window(behavior, config));
    let (up_cutoff, down_cutoff) = (now.minus(up), now.minus(down));
    let recent = recent(now, history, |r| r.at > up_cutoff || r.at > down_cutoff);
    let (mut lowest, mut highest) = (desired, desired);
    for past in &recent {
        if past.age < up {
            lowest = lowest.min(past.replicas);
        }
        if past.age < down {
            highest = highest.max(past.replicas);
        }
    }
    let after = current.max(lowest).min(highest);
    history.recommend(
        Recommendation {
            at: now,
            replicas: desired,
        },
        |past| past.at < up_cutoff && past.at < down_cutoff,
    );
    StabilizeStep {
        up_window: Some(up),
        down_window: down,
        recent,
        lowest: Some(lowest),
        highest,
        before: desired,
        after,
    }
}

fn recent(
    now: Timestamp,
    history: &History,
    within: impl Fn(&Recommendation) -> bool,
) -> Vec<Past> {
    let all = history.recommendations.as_deref().unwrap_or_default();
    let mut recent = Vec::with_capacity(all.len());
    recent.extend(all.iter().filter(|r| within(r)).map(|r| Past {
        replicas: r.replicas,
        age: now.since(r.at),
    }));
    recent
}

/// Upstream: maybeInitScaleDownStabilizationWindow.
pub(crate) fn down_window(behavior: &Behavior, config: &Config) -> i32 {
    let flag = || to_i32(config.downscale_stabilization.as_seconds_f64());
    behavior
        .down
        .stabilization_window_seconds
        .unwrap_or_else(flag)
}
