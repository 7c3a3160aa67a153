//! What an autoscaler may ask for beyond what Kubernetes' own knows: all off unless asked for.
//!
//! Not here: how it is written (annotations `evenkeel.dev/…`), nor what each does to a decision.

use crate::spec::{Config, Metric, Source, Spec};
use units::Duration;

/// Everything that may be asked for. The default asks for nothing, and then decisions are upstream's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Nothing is scaled; all else goes on.
    pub paused: bool,
    /// Nothing is scaled in this direction.
    pub freeze: Option<Direction>,
    /// The status says what would be done, and nothing is scaled.
    pub dry_run: bool,
    /// How often the autoscaler is looked at. No decision depends on it.
    pub sync_period: Option<Duration>,
    /// In the place of the controller's flag.
    pub initial_readiness_delay: Option<Duration>,
    /// In the place of the controller's flag.
    pub cpu_initialization_period: Option<Duration>,
    /// In the place of the controller's flag.
    pub downscale_stabilization: Option<Duration>,
    /// In the place of the controller's flag. What `spec.behavior` says of tolerances counts more.
    pub tolerance: Option<f64>,
    /// What a metric that failed counts as.
    pub fallback: Option<Fallback>,
    /// Older figures do not count.
    pub metric_max_age: Option<Duration>,
    /// Which pods are the target's.
    pub pod_selection: PodSelection,
    /// What becomes of a metric if a pod lacks its request.
    pub pods_without_requests: PodsWithoutRequests,
    /// What was asked for and is not understood, a sentence each. It counts as not asked for.
    pub problems: Vec<String>,
}

/// A direction of scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More replicas.
    Up,
    /// Fewer replicas.
    Down,
}

impl Direction {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a metric that failed counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// What it last asked for, while that is younger than this.
    LastKnownGood {
        /// The limit.
        max_age: Duration,
    },
    /// So many replicas.
    Replicas(i32),
}

/// Which pods are the target's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PodSelection {
    /// All that the scale's selector picks, as upstream.
    #[default]
    Label,
    /// Of these only those that the target controls, and that have not finished.
    Owner,
}

/// What becomes of a metric if a pod lacks its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PodsWithoutRequests {
    /// It fails, as upstream.
    #[default]
    Fail,
    /// The other pods' ratio counts for it.
    Ignore,
}

impl Options {
    /// Whether anything was asked for, understood or not.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Spec {
    /// The controller's flags, with what this autoscaler has in their place.
    pub fn effective_config(&self) -> Config {
        let (flags, own) = (self.config, &self.options);
        Config {
            tolerance: own.tolerance.unwrap_or(flags.tolerance),
            cpu_initialization_period: own
                .cpu_initialization_period
                .unwrap_or(flags.cpu_initialization_period),
            initial_readiness_delay: own
                .initial_readiness_delay
                .unwrap_or(flags.initial_readiness_delay),
            downscale_stabilization: own
                .downscale_stabilization
                .unwrap_or(flags.downscale_stabilization),
            gates: flags.gates,
        }
    }
}

impl Source {
    /// What it is called where it has no figures: `cpu resource`, `pods metric hits`.
    pub fn label(&self) -> String {
        match self {
            Self::Resource { name } => format!("{name} resource"),
            Self::ContainerResource { name, container } => {
                format!("{name} resource of container {container}")
            }
            Self::Pods { metric } => format!("pods metric {}", metric.name),
            Self::Object { kind, name, metric } => {
                format!("{kind} {name} metric {}", metric.name)
            }
            Self::External { metric } => format!("external metric {}", metric.name),
            Self::Unknown { kind } => format!("metric of type \"{kind}\""),
        }
    }
}

impl Metric {
    /// A number by which to know the metric again, wherever it stands: of its source and its target.
    /// It is written down, so it must stay as it is (FNV-1a).
    pub fn identity(&self) -> u64 {
        let selector = match &self.source {
            Source::Pods { metric }
            | Source::Object { metric, .. }
            | Source::External { metric } => metric.selector.as_str(),
            _ => "",
        };
        let target = &self.target;
        let text = format!(
            "{}\0{selector}\0{:?}\0{:?}\0{:?}",
            self.source.label(),
            target.value,
            target.average_value,
            target.average_utilization
        );
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

#[cfg(test)]
mod tests;
