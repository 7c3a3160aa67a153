//! What `/metrics` tells of the controller: upstream's metrics by upstream's names, and for each autoscaler what upstream
//! does not tell. Series of an autoscaler end with it.
//!
//! Upstream: pkg/controller/podautoscaler/monitor (v1.36).

mod fleet;

use crate::kinds::{Autoscaler, Key};
use fleet::Fleet;
use hpa::step::{MetricStep, Origin, Step};
use hpa::{Decision, Failure};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use units::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconciliation {
    action: &'static str,
    error: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Computation {
    action: &'static str,
    error: &'static str,
    metric_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lease {
    name: String,
}

/// A look at an autoscaler that came to its end.
pub(crate) struct Look<'a> {
    /// As it was before.
    pub(crate) object: &'a Autoscaler,
    pub(crate) at: Timestamp,
    pub(crate) decision: &'a Decision,
    /// From the first question to the decision.
    pub(crate) deciding: Duration,
    /// From the first question to the last write.
    pub(crate) took: Duration,
    /// Whether the target has another number of replicas now.
    pub(crate) rescaled: bool,
    /// Whether something could not be written.
    pub(crate) refused: bool,
}

/// Counts and remembers what `/metrics` shows. Shared by all that there is to tell of.
#[derive(Debug)]
pub struct Monitor {
    registry: Registry,
    fleet: Arc<Fleet>,
    reconciliations: Family<Reconciliation, Counter>,
    reconciliation_time: Family<Reconciliation, Histogram>,
    computations: Family<Computation, Counter>,
    computation_time: Family<Computation, Histogram>,
    leading: Family<Lease, Gauge>,
}

/// Upstream: metrics.ExponentialBuckets(0.001, 2, 15).
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

impl Default for Monitor {
    fn default() -> Self {
        let monitor = Self {
            registry: Registry::default(),
            fleet: Arc::default(),
            reconciliations: Family::default(),
            reconciliation_time: Family::new_with_constructor(seconds),
            computations: Family::default(),
            computation_time: Family::new_with_constructor(seconds),
            leading: Family::default(),
        };
        monitor.registered()
    }
}

impl Monitor {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        // The format adds "_total" to counters.
        registry.register(
            "horizontal_pod_autoscaler_controller_reconciliations",
            "[BETA] Looks at autoscalers, by what was done and by the first error: spec, internal or none",
            self.reconciliations.clone(),
        );
        registry.register(
            "horizontal_pod_autoscaler_controller_reconciliation_duration_seconds",
            "[BETA] Time of a look at an autoscaler, from the first question to the last write",
            self.reconciliation_time.clone(),
        );
        registry.register(
            "horizontal_pod_autoscaler_controller_metric_computation",
            "[BETA] Metrics that were read and calculated, by what they asked for, error and type",
            self.computations.clone(),
        );
        registry.register(
            "horizontal_pod_autoscaler_controller_metric_computation_duration_seconds",
            "[BETA] Time until a metric was read and calculated, with the others of its autoscaler",
            self.computation_time.clone(),
        );
        registry.register(
            "leader_election_master_status",
            "[ALPHA] 1 if this process leads by the lease of that name, 0 if it stands by",
            self.leading.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(&self.fleet)));
        self
    }

    /// The controller begins to work; the guard is its end.
    pub(crate) fn work(self: &Arc<Self>) -> Work {
        self.fleet.begin();
        Work(Arc::clone(self))
    }

    /// There is an autoscaler of this name.
    pub(crate) fn knows(&self, key: &Key) {
        self.fleet.insert(key);
    }

    /// There is none any more.
    pub(crate) fn forget(&self, key: &Key) {
        self.fleet.remove(key);
    }

    /// It was looked at, and may not act.
    pub(crate) fn stands_by(&self, key: &Key) {
        self.fleet.stands_by(key);
    }

    /// A look has ended.
    pub(crate) fn looked(&self, look: &Look<'_>) {
        let outcome = Reconciliation {
            action: match &look.decision.rescale {
                Some(rescale) if look.rescaled => action(rescale.from, rescale.to),
                _ => "none",
            },
            error: error(look.decision.failure.as_ref(), look.refused),
        };
        self.reconciliations.get_or_create(&outcome).inc();
        let time = self.reconciliation_time.get_or_create(&outcome);
        time.observe(look.took.as_secs_f64());
        drop(time);
        let status = look.object.status.as_ref();
        let before = status.and_then(|s| s.current_replicas).unwrap_or_default();
        for metric in metrics(look.decision) {
            self.computed(metric, before, look.deciding);
        }
        self.fleet
            .decided(&look.object.key(), look.at, look.decision);
    }

    /// Upstream: the deferred function of computeReplicasForMetric.
    fn computed(&self, metric: &MetricStep, before: i32, took: Duration) {
        let (action, error) = match &metric.proposal {
            Ok(proposal) => (action(before, proposal.replicas), "none"),
            Err(_) if metric.origin == Origin::Unknown => ("none", "spec"),
            Err(_) => ("none", "internal"),
        };
        let labels = Computation {
            action,
            error,
            metric_type: kind(metric.origin),
        };
        self.computations.get_or_create(&labels).inc();
        let time = self.computation_time.get_or_create(&labels);
        time.observe(took.as_secs_f64());
    }

    /// An error while there are autoscalers and none of them is looked at.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.fleet.check()
    }

    /// The text of `/metrics`; `leading` is the lease's name and whether this process holds it.
    pub(crate) fn text(&self, now: Timestamp, leading: Option<(&str, bool)>) -> String {
        if let Some((lease, leads)) = leading {
            let name = lease.to_owned();
            let gauge = self.leading.get_or_create(&Lease { name });
            gauge.set(i64::from(leads));
        }
        self.fleet.ask(now);
        let mut written = String::new();
        if text::encode(&mut written, &self.registry).is_err() {
            tracing::warn!("cannot print the metrics");
        }
        runtime::exposition::classic(&written)
    }
}

/// The controller works as long as this lives. What it knew is not shown afterwards, as another one goes on.
pub(crate) struct Work(Arc<Monitor>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.fleet.end();
    }
}

fn metrics(decision: &Decision) -> impl Iterator<Item = &MetricStep> {
    decision.steps.iter().filter_map(|step| match step {
        Step::Metric(metric) => Some(metric),
        _ => None,
    })
}

fn action(from: i32, to: i32) -> &'static str {
    match to.cmp(&from) {
        std::cmp::Ordering::Greater => "scale_up",
        std::cmp::Ordering::Less => "scale_down",
        std::cmp::Ordering::Equal => "none",
    }
}

/// Where both went wrong, the failure came first.
fn error(failure: Option<&Failure>, refused: bool) -> &'static str {
    match failure {
        Some(failure) if failure.spec => "spec",
        Some(_) => "internal",
        None if refused => "internal",
        None => "none",
    }
}

fn kind(origin: Origin) -> &'static str {
    match origin {
        Origin::Resource => "Resource",
        Origin::ContainerResource => "ContainerResource",
        Origin::Pods => "Pods",
        Origin::Object => "Object",
        Origin::External => "External",
        Origin::Unknown => "Unknown",
    }
}

#[cfg(test)]
mod tests;
