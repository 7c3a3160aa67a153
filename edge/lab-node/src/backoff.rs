//! Growing pauses: 10 seconds, doubled to five minutes, forgotten after ten quiet minutes.
//!
//! Upstream: client-go/util/flowcontrol/backoff.go, with the kubelet's periods
//! (pkg/kubelet/kubelet.go: containerBackOffPeriod, MaxContainerBackOff; the same for images).

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
mod tests;

const FIRST: SignedDuration = SignedDuration::from_secs(10);
const LONGEST: SignedDuration = SignedDuration::from_secs(300);

/// One container's pause, or one image's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    pause: Option<SignedDuration>,
    updated: Option<Timestamp>,
}

impl Backoff {
    /// The end of the pause that began at `failed_at`, if `now` is inside of it.
    /// Upstream: IsInBackOffSince.
    pub fn until(&self, failed_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let pause = self.pause?;
        if self.expired(failed_at) {
            return None;
        }
        let end = failed_at.saturating_add(pause).unwrap_or(failed_at);
        (now < end).then_some(end)
    }

    /// A pause that does not grow.
    pub fn steady(pause: SignedDuration, now: Timestamp) -> Self {
        Self {
            pause: Some(pause),
            updated: Some(now),
        }
    }

    /// The pause as it is now, for messages.
    pub fn pause(&self) -> SignedDuration {
        self.pause.unwrap_or(SignedDuration::ZERO)
    }

    /// Notes another start after a failure at `failed_at`: the next pause is longer. Upstream: Next.
    pub fn grow(&mut self, failed_at: Timestamp, now: Timestamp) {
        self.pause = Some(match self.pause {
            Some(pause) if !self.expired(failed_at) => LONGEST.min(pause.saturating_mul(2)),
            _ => FIRST,
        });
        self.updated = Some(now);
    }

    /// Upstream: hasExpired.
    fn expired(&self, at: Timestamp) -> bool {
        self.updated
            .is_some_and(|updated| at.duration_since(updated) > LONGEST.saturating_mul(2))
    }
}

/// A pause as Go prints durations of whole seconds: `10s`, `1m20s`, `5m0s`.
pub fn go_seconds(pause: SignedDuration) -> String {
    let seconds = pause.as_secs();
    match seconds / 60 {
        0 => format!("{seconds}s"),
        minutes => format!("{minutes}m{}s", seconds % 60),
    }
}
