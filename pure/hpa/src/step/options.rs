//! Steps that there are only where an autoscaler asks for more than upstream knows.

use crate::observation::LeftOut;
use units::Duration;

/// Which pods are the target's, where that is not decided by label alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipStep {
    /// How many are.
    pub own: usize,
    /// Those that the selector picks too, by name.
    pub left_out: Vec<LeftOut>,
}

/// What a metric that failed counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackStep {
    /// Which of `spec.metrics`.
    pub index: usize,
    /// What it is called: `cpu resource`.
    pub name: String,
    /// Where the number is from.
    pub from: FallbackFrom,
    /// So many replicas; none if nothing young enough is known.
    pub replicas: Option<i32>,
}

/// Where a fallback's number is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FallbackFrom {
    /// It is a fixed one.
    Fixed,
    /// It is what the metric last asked for.
    LastKnown {
        /// How long ago; none if it never did.
        age: Option<Duration>,
        /// It counts only while it is younger.
        max_age: Duration,
    },
}
