//! What is: the target, its pods, and what they use. Failures to find out are values too.

use crate::decision::Condition;
use crate::spec::Resource;
use std::collections::BTreeSet;
use std::sync::Arc;
use units::{Duration, Timestamp};

/// Everything that was seen for one decision. Pods and what they use are shared with whoever watches them.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The autoscaler's status as it stands.
    pub status: Status,
    /// The target's scale, or why it cannot be had.
    pub scale: Result<Scale, ScaleProblem>,
    /// All pods that the scale's selector picks, in any order; by name is quickest. Where pods are selected
    /// by ownership, only the target's own.
    pub pods: Vec<Arc<Pod>>,
    /// The others, where pods are selected by ownership.
    pub left_out: Vec<LeftOut>,
    /// Why the pods are not known, if they are not. (Upstream has them in a cache, and is never at a loss.)
    pub pods_problem: Option<String>,
    /// What metrics.k8s.io serves for these pods, or its error. By name is quickest.
    pub resource_metrics: Result<Vec<Arc<PodMetrics>>, String>,
    /// One entry for each of `spec.metrics`, in its order.
    pub readings: Vec<Reading>,
}

/// Why there is no scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleProblem {
    /// The error's text.
    pub error: String,
    /// What upstream's log says before it.
    pub context: ScaleStep,
}

/// Where on the way to the scale it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleStep {
    /// `scaleTargetRef.apiVersion` is no API version.
    ApiVersion,
    /// No resource is known for the kind.
    Mapping,
    /// The scale subresource did not answer.
    Get,
}

/// The autoscaler's status before the decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// `status.currentReplicas`
    pub current_replicas: i32,
    /// `status.desiredReplicas`
    pub desired_replicas: i32,
    /// `status.conditions`, in their order.
    pub conditions: Vec<Condition>,
}

/// An autoscaling/v1 Scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// `spec.replicas`
    pub spec_replicas: i32,
    /// `status.replicas`
    pub status_replicas: i32,
    /// What `status.selector` amounts to.
    pub selection: Selection,
}

/// What a scale's selector amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// It picks the pods of the observation.
    Valid,
    /// There is none.
    Missing,
    /// It does not parse.
    Invalid {
        /// The parser's error.
        error: String,
    },
    /// Other autoscalers pick some of these pods too.
    Ambiguous {
        /// The selector as written.
        selector: String,
        /// All of the autoscalers, `namespace/name`, sorted.
        autoscalers: Vec<String>,
    },
}

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not started yet.
    Pending,
    /// Running.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Anything else.
    Other,
}

/// The Ready condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Whether it is `True`, `False`, or neither.
    pub status: Option<bool>,
    /// When it last changed.
    pub last_transition: Timestamp,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// `status.phase`
    pub phase: Phase,
    /// Whether it has a deletion timestamp.
    pub deleting: bool,
    /// `status.startTime`
    pub start_time: Option<Timestamp>,
    /// The Ready condition, if it has one.
    pub ready: Option<Ready>,
    /// What the pod as a whole requests, if it says so. Upstream: PodRequests when IsPodLevelRequestsSet.
    pub pod_level_requests: Option<Vec<(Resource, i64)>>,
    /// Its containers and restartable init containers, in this order; the same for all pods of a template.
    pub containers: Arc<[ContainerRequests]>,
}

/// What a container requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRequests {
    /// Its name.
    pub name: String,
    /// In milli-units.
    pub requests: Vec<(Resource, i64)>,
}

/// What a pod uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMetrics {
    /// The pod's name.
    pub pod: String,
    /// When it was measured.
    pub timestamp: Timestamp,
    /// Over how long.
    pub window: Duration,
    /// By container.
    pub containers: Vec<ContainerUsage>,
}

/// What a container uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The container's name.
    pub name: String,
    /// In milli-units.
    pub usage: Vec<(Resource, i64)>,
}

/// A custom metric of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodValue {
    /// The pod's name.
    pub pod: String,
    /// When it was measured.
    pub timestamp: Timestamp,
    /// Over how long; a minute where the API does not say.
    pub window: Duration,
    /// In milli-units.
    pub value: i64,
}

/// What a metric's API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The figures are in [`Observation::resource_metrics`].
    Resource,
    /// For `Pods` metrics.
    Pods(Result<Vec<PodValue>, String>),
    /// For `Object` metrics.
    Object(Result<Sample, String>),
    /// For `External` metrics: every series.
    External(Result<Vec<Sample>, String>),
}

/// A figure that is not of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// In milli-units.
    pub value: i64,
    /// When it was measured, if the API says so.
    pub timestamp: Option<Timestamp>,
}

impl From<i64> for Sample {
    /// Of unknown age.
    fn from(value: i64) -> Self {
        Self {
            value,
            timestamp: None,
        }
    }
}

/// A pod that the scale's selector picks and that is not the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub pod: String,
    /// Why it is not.
    pub why: Unowned,
}

/// Why a pod is not the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unowned {
    /// It has finished.
    Finished,
    /// Nothing controls it.
    NoController,
    /// Something else controls it.
    Controller {
        /// The controller's kind.
        kind: String,
        /// Its name.
        name: String,
    },
}

impl Observation {
    /// Takes pods and their figures out.
    pub fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        let out: BTreeSet<&str> = left_out.iter().map(|l| l.pod.as_str()).collect();
        let stays = |pod: &str| !out.contains(pod);
        self.pods.retain(|pod| stays(&pod.name));
        if let Ok(metrics) = &mut self.resource_metrics {
            metrics.retain(|m| stays(&m.pod));
        }
        for reading in &mut self.readings {
            if let Reading::Pods(Ok(values)) = reading {
                values.retain(|v| stays(&v.pod));
            }
        }
        self.left_out = left_out;
    }
}
