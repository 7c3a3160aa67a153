//! How many replicas, and why: the HorizontalPodAutoscaler's decision as a function of values.
//!
//! [`decide`] gives, for any input, what Kubernetes 1.36's own controller would do: the same replica count,
//! conditions, metric statuses and events, text for text; and beside them, as [`Step`]s, every rule that was
//! consulted with its numbers. It has no clock and does no IO; what went wrong while observing is a value
//! in the [`Observation`].
//!
//! Upstream: pkg/controller/podautoscaler (v1.36): horizontal.go, replica_calculator.go, metrics/.

mod arithmetic;
mod behavior;
mod bounds;
mod decide;
pub mod decision;
mod fallback;
pub mod history;
mod hold;
mod metric;
pub mod observation;
pub mod options;
mod pods;
mod propose;
pub mod remember;
#[cfg(test)]
mod samples;
pub mod spec;
mod stabilize;
pub mod step;

pub use decide::decide;
pub use decision::{
    Condition, Current, CurrentMetrics, Decision, Event, EventKind, Failure, Outcome, Rescale,
};
pub use history::{History, Known, Recommendation, ScaleEvent};
pub use hold::{Holder, Withheld};
pub use observation::{
    ContainerRequests, ContainerUsage, LeftOut, Observation, Phase, Pod, PodMetrics, PodValue,
    Reading, Ready, Sample, Scale, ScaleProblem, ScaleStep, Selection, Status, Unowned,
};
pub use options::{Direction, Fallback, Options, PodSelection, PodsWithoutRequests};
pub use spec::{
    Behavior, Config, Gates, Identifier, Metric, Policy, PolicyKind, Resource, Rules, SelectPolicy,
    Source, Spec, Target, TargetKind, Tolerances,
};
pub use step::Step;
