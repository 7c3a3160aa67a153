//! HorizontalPodAutoscalers on the wire: the two versions, their defaults and their rules.
//!
//! Objects are JSON values, as the lab stores them. Version 2 is the one that is stored and decided on;
//! version 1 carries what it has no field for in annotations.
//! Upstream: pkg/apis/autoscaling (v1.36).

mod annotated;
mod behavior;
mod convert;
mod defaults;
mod go_json;
pub mod history;
pub mod observe;
pub mod options;
mod outcome;
pub mod ownership;
pub mod scale;
mod targets;
mod tolerance;
mod validation;

pub use convert::{v1_to_v2, v2_to_v1};
pub use defaults::{default_v1, default_v2};
pub(crate) use outcome::time;
pub use outcome::{same_status, status_after};
pub use targets::targets;
pub use tolerance::drop_tolerances;
pub(crate) use validation::LABEL;
pub use validation::{validate, validate_update};

/// Upstream: annotations.go.
pub mod annotation {
    /// Metrics other than cpu utilization.
    pub const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
    /// The status of every metric.
    pub const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
    /// The status's conditions.
    pub const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
    /// The scaling behavior.
    pub const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
    /// All that a conversion drops or rewrites.
    pub(super) const ROUND_TRIP: [&str; 6] = [
        METRICS,
        CURRENT_METRICS,
        CONDITIONS,
        BEHAVIOR,
        "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
        "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
    ];
}

/// What a metric without target gets. Upstream: DefaultCPUUtilization.
const DEFAULT_CPU_UTILIZATION: i32 = 80;

#[cfg(test)]
mod tests;
