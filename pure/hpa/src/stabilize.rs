//! Looking back: recent recommendations hold the number up, or down.
//!
//! Upstream: horizontal.go, stabilizeRecommendation and stabilizeRecommendationWithBehaviors.

use crate::arithmetic::to_i32;
use crate::history::{History, Recommendation};
use crate::spec::{Behavior, Config};
use crate::step::StabilizeStep;
use units::{Duration, Timestamp};

/// Without behavior: the highest recommendation within the flag's window.
pub(crate) fn legacy(
    now: Timestamp,
    desired: i32,
    window: Duration,
    history: &mut History,
) -> StabilizeStep {
    let cutoff = now.minus(window);
    let recent = history
        .recommendations
        .iter()
        .flatten()
        .filter(|r| r.at >= cutoff);
    let highest = recent.fold(desired, |max, r| max.max(r.replicas));
    history.recommend(
        Recommendation {
            at: now,
            replicas: desired,
        },
        |r| r.at < cutoff,
    );
    StabilizeStep {
        up_window_seconds: None,
        down_window_seconds: window.whole_seconds(),
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
    let up = behavior.up.stabilization_window_seconds.unwrap_or(0);
    let down = down_window(behavior, config);
    let cutoff = |seconds: i32| now.minus(Duration::from_seconds(i64::from(seconds)));
    let (up_cutoff, down_cutoff) = (cutoff(up), cutoff(down));
    let (mut lowest, mut highest) = (desired, desired);
    for past in history.recommendations.iter().flatten() {
        if past.at > up_cutoff {
            lowest = lowest.min(past.replicas);
        }
        if past.at > down_cutoff {
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
        up_window_seconds: Some(i64::from(up)),
        down_window_seconds: i64::from(down),
        lowest: Some(lowest),
        highest,
        before: desired,
        after,
    }
}

/// Upstream: maybeInitScaleDownStabilizationWindow.
fn down_window(behavior: &Behavior, config: &Config) -> i32 {
    let flag = || to_i32(config.downscale_stabilization.as_seconds_f64());
    behavior
        .down
        .stabilization_window_seconds
        .unwrap_or_else(flag)
}
