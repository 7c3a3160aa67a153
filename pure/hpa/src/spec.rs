//! What is wanted: the autoscaler's specification and the controller's configuration.
//!
//! Quantities are milli-units already, as upstream's controller reads them.

use crate::options::Options;
use std::fmt;
use units::Duration;

/// One HorizontalPodAutoscaler, defaulted as the API server does, and how the controller is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Namespace of the autoscaler and its target.
    pub namespace: String,
    /// The target's kind.
    pub target_kind: String,
    /// The target's name.
    pub target_name: String,
    /// `None` means 1.
    pub min_replicas: Option<i32>,
    /// Upper bound.
    pub max_replicas: i32,
    /// In the order of the object.
    pub metrics: Vec<Metric>,
    /// `None` selects the rules that are older than behavior.
    pub behavior: Option<Behavior>,
    /// The controller's flags.
    pub config: Config,
    /// What it asks for beyond upstream.
    pub options: Options,
}

/// kube-controller-manager's flags and feature gates. Upstream: HPAControllerOptions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// `--horizontal-pod-autoscaler-tolerance`
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-cpu-initialization-period`
    pub cpu_initialization_period: Duration,
    /// `--horizontal-pod-autoscaler-initial-readiness-delay`
    pub initial_readiness_delay: Duration,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`
    pub downscale_stabilization: Duration,
    /// Feature gates.
    pub gates: Gates,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            cpu_initialization_period: Duration::from_seconds(300),
            initial_readiness_delay: Duration::from_seconds(30),
            downscale_stabilization: Duration::from_seconds(300),
            gates: Gates::default(),
        }
    }
}

/// The feature gates that change decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// HPAConfigurableTolerance
    pub configurable_tolerance: bool,
    /// HPAScaleToZero
    pub scale_to_zero: bool,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            configurable_tolerance: true,
            scale_to_zero: false,
        }
    }
}

/// One entry of `spec.metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Where the figures come from.
    pub source: Source,
    /// What they should be.
    pub target: Target,
}

/// Where a metric's figures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Usage of all containers of the pods.
    Resource {
        /// `cpu`, `memory`, …
        name: Resource,
    },
    /// Usage of one container of the pods.
    ContainerResource {
        /// `cpu`, `memory`, …
        name: Resource,
        /// Its name in the pods.
        container: String,
    },
    /// A custom metric of every pod.
    Pods {
        /// Which.
        metric: Identifier,
    },
    /// A custom metric of one other object.
    Object {
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// Which.
        metric: Identifier,
    },
    /// A metric from outside the cluster.
    External {
        /// Which.
        metric: Identifier,
    },
    /// A type that no controller knows; the API server refuses it.
    Unknown {
        /// The type as written.
        kind: String,
    },
}

/// A resource's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `cpu`
    Cpu,
    /// `memory`
    Memory,
    /// Anything else.
    Other(Box<str>),
}

impl Resource {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Resource {
    fn from(name: &str) -> Self {
        match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A custom or external metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// Its name.
    pub name: String,
    /// Its selector as Go prints it with `%+v`: `nil` or `&LabelSelector{…}`.
    pub selector: String,
    /// Why the selector is no selector, if it is none.
    pub selector_problem: Option<String>,
}

/// `target.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// Percent of the request.
    Utilization,
    /// The value itself.
    Value,
    /// The value per pod.
    AverageValue,
    /// Anything else.
    Other,
}

/// What a metric should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// `type`
    pub kind: TargetKind,
    /// `value` in milli-units
    pub value: Option<i64>,
    /// `averageValue` in milli-units
    pub average_value: Option<i64>,
    /// `averageUtilization` in percent
    pub average_utilization: Option<i32>,
}

/// `spec.behavior`, defaulted.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// Rules for scaling up.
    pub up: Rules,
    /// Rules for scaling down.
    pub down: Rules,
}

/// Rules for one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Only scaling down may leave it open; the controller's flag fills it in.
    pub stabilization_window_seconds: Option<i32>,
    /// How several policies are combined.
    pub select: SelectPolicy,
    /// The policies.
    pub policies: Vec<Policy>,
    /// Replaces the controller's tolerance.
    pub tolerance: Option<f64>,
}

/// How several policies are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The one that allows the most change.
    Max,
    /// The one that allows the least.
    Min,
    /// No change in this direction.
    Disabled,
}

/// What a policy counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Pods.
    Pods,
    /// Percent of the replicas at the period's start.
    Percent,
}

/// At most so much change in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What `value` counts.
    pub kind: PolicyKind,
    /// How much.
    pub value: i32,
    /// In how long.
    pub period_seconds: i32,
}

impl Spec {
    pub(crate) fn min(&self) -> i32 {
        self.min_replicas.unwrap_or(1)
    }

    /// Upstream: hasObjectOrExternalMetrics.
    pub(crate) fn has_object_or_external(&self) -> bool {
        self.metrics
            .iter()
            .any(|m| matches!(m.source, Source::Object { .. } | Source::External { .. }))
    }

    /// Upstream: tolerancesForHpa.
    pub(crate) fn tolerances(&self) -> Tolerances {
        let flag = self.effective_config().tolerance;
        let behavior = self
            .behavior
            .as_ref()
            .filter(|_| self.config.gates.configurable_tolerance);
        Tolerances {
            down: behavior.and_then(|b| b.down.tolerance).unwrap_or(flag),
            up: behavior.and_then(|b| b.up.tolerance).unwrap_or(flag),
        }
    }
}

/// How far a ratio may be from 1 without anything being done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerances {
    /// Below 1.
    pub down: f64,
    /// Above 1.
    pub up: f64,
}

impl Tolerances {
    /// Upstream: Tolerances.isWithin.
    pub(crate) fn hold(self, ratio: f64) -> bool {
        (1.0 - self.down) <= ratio && ratio <= (1.0 + self.up)
    }
}
