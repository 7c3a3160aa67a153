//! Two points of a counter, and the rate between them.

use std::fmt;

/// Nanoseconds since the epoch that stand for "never told": before every real time.
pub const NEVER: i64 = i64::MIN;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// What a node or a container had used at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it started, in nanoseconds since the epoch; [`NEVER`] when unknown. It had used nothing then.
    pub started: i64,
    /// When it was measured, in nanoseconds since the epoch; [`NEVER`] when unknown.
    pub at: i64,
    /// CPU time used from start to then, in nanoseconds (core-nanoseconds).
    pub cpu: u64,
    /// Working set in bytes.
    pub memory: u64,
}

impl Point {
    /// Nothing known.
    pub const UNKNOWN: Self = Self {
        started: NEVER,
        at: NEVER,
        cpu: 0,
        memory: 0,
    };

    /// Whether it can be served: CPU and memory are both known and not zero.
    pub fn is_complete(&self) -> bool {
        self.cpu != 0 && self.memory != 0
    }
}

/// What a node or a container uses, averaged over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The window's end, in nanoseconds since the epoch.
    pub at: i64,
    /// The window's length in nanoseconds.
    pub window: i64,
    /// CPU in billionths of a core, rounded down.
    pub cpu_nanocores: u64,
    /// Working set in bytes at the end.
    pub memory_bytes: u64,
}

/// Why two points give no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decrease {
    /// It started earlier than it had started.
    StartTime,
    /// It has used less than it had used.
    Cpu,
}

impl std::error::Error for Decrease {}

impl fmt::Display for Decrease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartTime => "unexpected decrease in startTime of node/container",
            Self::Cpu => "unexpected decrease in cumulative CPU usage value",
        })
    }
}

/// The usage between `previous` and `last`. Upstream: resourceUsage (pkg/storage/types.go).
pub fn usage(last: &Point, previous: &Point) -> Result<Usage, Decrease> {
    if last.started < previous.started {
        return Err(Decrease::StartTime);
    }
    let used = last.cpu.checked_sub(previous.cpu).ok_or(Decrease::Cpu)?;
    let window = last.at.saturating_sub(previous.at);
    Ok(Usage {
        at: last.at,
        window,
        cpu_nanocores: fitted(to_u64(used as f64 / seconds(window))),
        memory_bytes: fitted(last.memory),
    })
}

/// Go's `Duration.Seconds`: the whole and the fraction are added last.
fn seconds(nanos: i64) -> f64 {
    let whole = nanos / NANOS_PER_SECOND;
    let rest = nanos % NANOS_PER_SECOND;
    whole as f64 + rest as f64 / 1e9
}

/// Beyond 63 bits a quantity loses its last decimal digit. Upstream: uint64Quantity.
fn fitted(value: u64) -> u64 {
    if value > i64::MAX as u64 {
        value / 10 * 10
    } else {
        value
    }
}

/// Go's conversion of a float to uint64 on amd64: what does not fit wraps rather than saturates.
pub(crate) fn to_u64(value: f64) -> u64 {
    const TOP: f64 = 9_223_372_036_854_775_808.0;
    if value < TOP {
        to_i64(value) as u64
    } else {
        (to_i64(value - TOP) as u64) ^ (1 << 63)
    }
}

/// The same to int64: what does not fit becomes the smallest number.
pub(crate) fn to_i64(value: f64) -> i64 {
    const TOP: f64 = 9_223_372_036_854_775_808.0;
    if (-TOP..TOP).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}
