//! A point in time. Somebody else read the clock.

use crate::Duration;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A point in time with nanosecond precision; any year that RFC 3339 can write fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i128);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// Go's zero time, 0001-01-01T00:00:00Z: what a missing `metav1.Time` reads as.
    pub const GO_ZERO: Self = Self(-62_135_596_800 * NANOS_PER_SECOND);

    /// So many seconds after (before, when negative) the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds as i128 * NANOS_PER_SECOND)
    }

    /// So many nanoseconds after (before, when negative) the epoch.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i128 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        let seconds = self.0.div_euclid(NANOS_PER_SECOND);
        if seconds > i64::MAX as i128 {
            i64::MAX
        } else if seconds < i64::MIN as i128 {
            i64::MIN
        } else {
            seconds as i64
        }
    }

    /// This point, `span` later.
    #[must_use]
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.nanos() as i128))
    }

    /// This point, `span` earlier.
    #[must_use]
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.nanos() as i128))
    }

    /// How long after `earlier` this is; clamped to what a [`Duration`] holds, as Go's `Time.Sub` does.
    pub const fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        if nanos > i64::MAX as i128 {
            Duration::MAX
        } else if nanos < i64::MIN as i128 {
            Duration::MIN
        } else {
            Duration::from_nanos(nanos as i64)
        }
    }
}
