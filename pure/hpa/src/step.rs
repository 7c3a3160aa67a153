//! Every rule that was consulted, with its numbers: enough to recompute the decision by hand.
//!
//! [`audit`] does so. Points in time are given as ages, so that steps mean the same whenever they are read.

mod audit;
mod options;

pub use audit::audit;
pub use options::{FallbackFrom, FallbackStep, OwnershipStep};

use crate::observation::Observation;
use crate::options::{Direction, Options};
use crate::spec::{PolicyKind, SelectPolicy, Source, Tolerances};
use units::Duration;

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// What is asked for beyond upstream; only where something is.
    Options(Box<Options>),
    /// The target has no scale, so nothing was decided.
    NoScale {
        /// Why.
        error: String,
    },
    /// What the target is at, and its bounds.
    Start {
        /// `scale.spec.replicas`
        current: i32,
        /// `scale.status.replicas`
        observed: i32,
        /// `spec.minReplicas`
        min: i32,
        /// `spec.maxReplicas`
        max: i32,
    },
    /// Which pods are the target's, where they are selected by ownership.
    Ownership(OwnershipStep),
    /// Nobody scales what was set to zero by hand.
    Disabled {
        /// Whether the autoscaler itself had set it to zero, and may do so (HPAScaleToZero).
        scaled_to_zero: bool,
        /// Whether a metric does not need pods.
        object_or_external: bool,
    },
    /// Outside the bounds: no metric was asked.
    OutsideBounds {
        /// From.
        before: i32,
        /// To the bound.
        after: i32,
    },
    /// The scale's selector cannot be used.
    NoSelection {
        /// Why.
        error: String,
    },
    /// What one metric asks for.
    Metric(MetricStep),
    /// What the metric before counts as, which failed.
    Fallback(FallbackStep),
    /// Which of the metrics counts.
    Select(SelectStep),
    /// Recent recommendations held the number up or down.
    Stabilize(StabilizeStep),
    /// Policies limit how fast it may change.
    Rate(RateStep),
    /// The bounds, and the limit on scaling up that is older than behavior.
    Bound(BoundStep),
    /// From zero, the lower bound counts at once.
    LiftFromZero {
        /// From.
        before: i32,
        /// To the bound.
        after: i32,
    },
    /// One direction is frozen.
    Freeze {
        /// Which.
        direction: Direction,
        /// From.
        before: i32,
        /// To; the replicas there are, if that is the direction.
        after: i32,
    },
    /// Nothing is scaled.
    Pause {
        /// From.
        before: i32,
        /// To the replicas there are.
        after: i32,
    },
    /// The result is only said, not done.
    DryRun {
        /// From.
        from: i32,
        /// To.
        to: i32,
    },
    /// What will be done.
    Result {
        /// From.
        current: i32,
        /// To.
        desired: i32,
    },
    /// It could not be decided: nothing is done, and the status keeps its number.
    Kept {
        /// `status.desiredReplicas`
        desired: i32,
    },
}

/// What one metric asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricStep {
    /// Which of `spec.metrics`.
    pub index: usize,
    /// Where its figures come from.
    pub origin: Origin,
    /// As it is named in conditions; empty when it failed.
    pub name: String,
    /// How far from its target it may be.
    pub tolerances: Tolerances,
    /// The pods that were looked at, each with its group.
    pub pods: Vec<PodStep>,
    /// Figures for pods that are not among the target's.
    pub strangers: usize,
    /// Their sum in milli-units; it counts unless the target is a utilization.
    pub strangers_usage: i64,
    /// The calculation, as far as it came.
    pub calculation: Calculation,
    /// What it asks for, or why it asks for nothing.
    pub proposal: Result<Proposal, String>,
}

/// A metric's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Usage of pods.
    Resource,
    /// Usage of one container of each pod.
    ContainerResource,
    /// A custom metric of each pod.
    Pods,
    /// A custom metric of another object.
    Object,
    /// A metric from outside the cluster.
    External,
    /// None of these.
    Unknown,
}

impl From<&Source> for Origin {
    fn from(source: &Source) -> Self {
        match source {
            Source::Resource { .. } => Self::Resource,
            Source::ContainerResource { .. } => Self::ContainerResource,
            Source::Pods { .. } => Self::Pods,
            Source::Object { .. } => Self::Object,
            Source::External { .. } => Self::External,
            Source::Unknown { .. } => Self::Unknown,
        }
    }
}

/// How a proposal was calculated.
#[derive(Debug, Clone, PartialEq)]
pub enum Calculation {
    /// It did not come to one.
    None,
    /// Per pod, against a target per pod.
    Pods {
        /// The figures as they came.
        first: Pass,
        /// With assumptions for the pods without usable figures.
        second: Option<Pass>,
    },
    /// One value against a target.
    Value {
        /// In milli-units.
        value: i64,
        /// In milli-units.
        target: i64,
        /// Value by target.
        ratio: f64,
        /// Pods that are running and ready; not counted at zero replicas or inside the tolerance.
        ready_pods: Option<i64>,
    },
    /// One value shared among the replicas.
    PerReplica {
        /// In milli-units.
        value: i64,
        /// In milli-units, per replica.
        target: i64,
        /// `scale.status.replicas`
        replicas: i32,
        /// Value by target times replicas.
        ratio: f64,
    },
}

/// One calculation over pods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// The sum of all figures, in milli-units.
    pub usage: i64,
    /// The sum of the requests, in milli-units, if the target is a utilization.
    pub request: Option<i64>,
    /// How many figures there are.
    pub figures: usize,
    /// Percent, or milli-units per pod.
    pub current: i64,
    /// The same, wanted.
    pub target: i64,
    /// Current by target.
    pub ratio: f64,
}

/// What a metric asks for, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// So many replicas.
    pub replicas: i32,
    /// By this rule.
    pub rule: Rule,
}

/// Why a metric asks for what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The ratio is inside the tolerance.
    WithinTolerance,
    /// The ratio times the ready pods, rounded up.
    RatioTimesReadyPods,
    /// The second ratio times all figures, rounded up.
    RatioTimesFigures,
    /// With the assumptions for missing and unready pods it is inside the tolerance.
    WithinToleranceAfterAssumptions,
    /// With the assumptions it would turn round.
    DirectionTurned,
    /// The number contradicts the direction.
    AgainstDirection,
    /// From zero: the ratio, rounded up.
    RatioFromZero,
    /// Value by target, rounded up.
    ValueByTarget,
}

/// A pod's part in a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodStep {
    /// Which of the observation's pods.
    pub pod: usize,
    /// Where it was put.
    pub group: Group,
    /// By which rule.
    pub rule: GroupRule,
    /// Its figure in milli-units.
    pub value: Option<i64>,
    /// Its request in milli-units.
    pub request: Option<i64>,
    /// The figure assumed for it in the second pass.
    pub assumed: Option<i64>,
}

impl PodStep {
    /// The pod's name.
    pub fn name<'a>(&self, seen: &'a Observation) -> &'a str {
        seen.pods.get(self.pod).map_or("", |pod| &pod.name)
    }
}

/// What a pod counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Its figure counts.
    Ready,
    /// Its figure does not count yet.
    Unready,
    /// It has no figure.
    Missing,
    /// It has no request; the others' ratio counts for it.
    Unrequested,
    /// It does not count at all.
    Ignored,
}

/// Why a pod counts as what it does. Upstream: groupPods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRule {
    /// It is being deleted.
    Deleting,
    /// It has failed.
    Failed,
    /// It is pending.
    Pending,
    /// There is no figure for it.
    NoFigure,
    /// Its figure is older than may be.
    TooOld,
    /// It would be ready, but has no request.
    NoRequest,
    /// It has a figure, and the metric is not cpu.
    HasFigure,
    /// cpu: it has no Ready condition or no start time.
    NeverObserved,
    /// cpu: within the initialization period and not ready.
    StartingNotReady,
    /// cpu: within the initialization period, measured before it was ready for a whole window.
    StartingTooFresh,
    /// cpu: within the initialization period, ready, and measured since.
    StartingReady,
    /// cpu: not ready, and never was.
    NeverReady,
    /// cpu: past the initialization period, and ready or once ready.
    Settled,
}

/// Which of the metrics counts.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectStep {
    /// How many metrics failed.
    pub failed: usize,
    /// Of how many.
    pub of: usize,
    /// The metric that asks for the most; `None` when nothing may be done.
    pub chosen: Option<usize>,
    /// What it asks for.
    pub replicas: i32,
}

/// What looking back did to the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StabilizeStep {
    /// How long scaling up looks back; `None` without behavior.
    pub up_window: Option<Duration>,
    /// How long scaling down looks back.
    pub down_window: Duration,
    /// What was recommended within the windows.
    pub recent: Vec<Past>,
    /// The lowest recommendation within the up window, the present one included.
    pub lowest: Option<i32>,
    /// The highest recommendation within the down window, the present one included.
    pub highest: i32,
    /// From.
    pub before: i32,
    /// To.
    pub after: i32,
}

/// An earlier recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// How many.
    pub replicas: i32,
    /// How long ago.
    pub age: Duration,
}

impl StabilizeStep {
    /// Whether scaling up still looks back so far. It never does without behavior.
    pub fn in_up_window(&self, past: &Past) -> bool {
        self.up_window.is_some_and(|window| past.age < window)
    }

    /// Whether scaling down still looks back so far. Without behavior the window includes its end.
    pub fn in_down_window(&self, past: &Past) -> bool {
        past.age < self.down_window || (self.up_window.is_none() && past.age == self.down_window)
    }
}

/// What the policies of one direction allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateStep {
    /// Up or down.
    pub up: bool,
    /// How they are combined.
    pub select: SelectPolicy,
    /// Each of them.
    pub policies: Vec<PolicyStep>,
    /// What they allow together.
    pub limit: i32,
    /// `spec.maxReplicas` on the way up, `spec.minReplicas` on the way down.
    pub bound: i32,
    /// The nearer of both; the policies never force a change.
    pub allowed: i32,
    /// From.
    pub before: i32,
    /// To.
    pub after: i32,
}

/// What one policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyStep {
    /// What it counts.
    pub kind: PolicyKind,
    /// How much.
    pub value: i32,
    /// In how long.
    pub period_seconds: i32,
    /// Replicas added in that time.
    pub added: i32,
    /// Replicas removed in that time.
    pub removed: i32,
    /// How long ago the oldest of these changes was made.
    pub oldest: Option<Duration>,
    /// Replicas at its start.
    pub start: i32,
    /// What it allows.
    pub limit: i32,
}

/// What the bounds did to the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundStep {
    /// The least allowed.
    pub min: i32,
    /// The most allowed.
    pub max: i32,
    /// Twice the replicas, at least four: the most that scaling up may reach at once.
    pub up_limit: i32,
    /// From.
    pub before: i32,
    /// To.
    pub after: i32,
}
