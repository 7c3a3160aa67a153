//! What one metric asks for.
//!
//! Upstream: horizontal.go, computeReplicasForMetric and the computeStatusFor… functions, whose words are kept.

mod per_pod;
mod value;

use crate::decision::Current;
use crate::observation::{Observation, Reading, Sample, Scale};
use crate::spec::{Identifier, Metric, Resource, Source, Spec, Target, TargetKind, Tolerances};
use crate::step::{Calculation, MetricStep, Origin, Proposal};
use units::{Format, Quantity, Timestamp};

/// What the calculation of a metric needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) spec: &'a Spec,
    pub(crate) seen: &'a Observation,
    pub(crate) scale: &'a Scale,
    pub(crate) tolerances: Tolerances,
}

impl Context<'_> {
    /// What was measured before does not count.
    pub(crate) fn cutoff(&self) -> Option<Timestamp> {
        let age = self.spec.options.metric_max_age?;
        Some(self.now.minus(age))
    }

    /// Why a figure that is not of a pod does not count, if so. Times are left out: the text is that of an
    /// event, and should stay the same.
    fn too_old(&self, sample: &Sample) -> Option<String> {
        let age = self.spec.options.metric_max_age?;
        match sample.timestamp {
            Some(at) if at >= self.now.minus(age) => None,
            Some(_) => Some(format!(
                "the figure is older than {age} (evenkeel.dev/metric-max-age)"
            )),
            None => Some(format!(
                "the figure does not say when it was measured, and must not be older than {age} (evenkeel.dev/metric-max-age)"
            )),
        }
    }
}

/// A metric's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) step: MetricStep,
    pub(crate) result: Result<Accepted, Failed>,
}

/// A metric that could be calculated.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) proposal: Proposal,
    pub(crate) name: String,
    pub(crate) current: Current,
}

/// A metric that could not be calculated.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The condition's reason.
    pub(crate) reason: &'static str,
    /// What the condition and the event say.
    pub(crate) cause: String,
    /// What the reconcile's error says.
    pub(crate) error: String,
}

/// Evaluates the metric at `index`.
pub(crate) fn evaluate(context: Context<'_>, index: usize, metric: &Metric) -> Answer {
    let mut step = MetricStep {
        index,
        origin: Origin::from(&metric.source),
        name: String::new(),
        tolerances: context.tolerances,
        pods: Vec::new(),
        strangers: 0,
        strangers_usage: 0,
        calculation: Calculation::None,
        proposal: Err(String::new()),
    };
    let result = by_source(context, metric, context.seen.readings.get(index), &mut step);
    step.proposal = match &result {
        Ok(accepted) => {
            step.name.clone_from(&accepted.name);
            Ok(accepted.proposal)
        }
        Err(failed) => Err(failed.cause.clone()),
    };
    Answer { step, result }
}

fn by_source(
    context: Context<'_>,
    metric: &Metric,
    reading: Option<&Reading>,
    step: &mut MetricStep,
) -> Result<Accepted, Failed> {
    let target = &metric.target;
    match &metric.source {
        Source::Resource { name } => {
            resource(context, name, None, target, step).map_err(|cause| Failed {
                reason: "FailedGetResourceMetric",
                error: format!("failed to get {name} resource metric value: {cause}"),
                cause,
            })
        }
        Source::ContainerResource { name, container } => {
            resource(context, name, Some(container), target, step).map_err(|cause| Failed {
                reason: "FailedGetContainerResourceMetric",
                error: format!("failed to get {container} container metric value: {cause}"),
                cause,
            })
        }
        Source::Pods { metric } => {
            pods(context, metric, target, reading, step).map_err(|cause| Failed {
                reason: "FailedGetPodsMetric",
                error: format!("failed to get pods metric value: {cause}"),
                cause,
            })
        }
        Source::Object { kind, name, metric } => {
            let read = object_reading(context, kind, name, metric, reading);
            object(context, (kind, metric), target, read, step)
        }
        Source::External { metric } => external(
            context,
            metric,
            target,
            external_reading(context, metric, reading),
            step,
        ),
        Source::Unknown { kind } => {
            let cause = format!("unknown metric source type \"{kind}\"");
            Err(Failed {
                reason: "InvalidMetricSourceType",
                error: cause.clone(),
                cause,
            })
        }
    }
}

/// Upstream: computeStatusForResourceMetricGeneric.
fn resource(
    context: Context<'_>,
    name: &Resource,
    container: Option<&str>,
    target: &Target,
    step: &mut MetricStep,
) -> Result<Accepted, String> {
    // To match what metrics-server serves. Upstream: buildQuantity.
    let format = if *name == Resource::Memory {
        Format::BinarySi
    } else {
        Format::DecimalSi
    };
    if let Some(wanted) = target.average_value {
        let (proposal, usage) = per_pod::raw_resource(context, name, container, wanted, step)
            .map_err(|e| format!("failed to get {name} usage: {e}"))?;
        let current = Current {
            average_value: Some(Quantity::from_milli(usage, format)),
            ..Current::default()
        };
        return Ok(Accepted {
            proposal,
            name: format!("{name} resource"),
            current,
        });
    }
    let Some(wanted) = target.average_utilization else {
        return Err("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set".to_owned());
    };
    let (proposal, utilization, usage) =
        per_pod::utilization(context, name, container, wanted, step)
            .map_err(|e| format!("failed to get {name} utilization: {e}"))?;
    let what = if container.is_some() {
        "container resource"
    } else {
        "resource"
    };
    Ok(Accepted {
        proposal,
        name: format!("{name} {what} utilization (percentage of request)"),
        current: Current {
            value: None,
            average_value: Some(Quantity::from_milli(usage, format)),
            average_utilization: Some(utilization),
        },
    })
}

/// Upstream: computeStatusForPodsMetric.
fn pods(
    context: Context<'_>,
    metric: &Identifier,
    target: &Target,
    reading: Option<&Reading>,
    step: &mut MetricStep,
) -> Result<Accepted, String> {
    if let Some(problem) = &metric.selector_problem {
        return Err(problem.clone());
    }
    let Some(wanted) = target.average_value else {
        // Differs from upstream: it crashes here. The API server refuses such a metric.
        return Err("invalid pods metric source: no average value target was set".to_owned());
    };
    let values = match reading {
        Some(Reading::Pods(Ok(values))) if values.is_empty() => {
            Err("no metrics returned from custom metrics API".to_owned())
        }
        Some(Reading::Pods(Ok(values))) => Ok(values.as_slice()),
        Some(Reading::Pods(Err(error))) => Err(format!(
            "unable to fetch metrics from custom metrics API: {error}"
        )),
        _ => Err(not_read("custom")),
    };
    let values = values.map_err(|e| format!("unable to get metric {}: {e}", metric.name))?;
    let (proposal, usage) = per_pod::plain_values(context, values, wanted, step)?;
    let current = average(usage);
    Ok(Accepted {
        proposal,
        name: format!("pods metric {}", metric.name),
        current,
    })
}

fn object_reading(
    context: Context<'_>,
    kind: &str,
    object: &str,
    metric: &Identifier,
    reading: Option<&Reading>,
) -> Result<i64, String> {
    let error = match reading {
        Some(Reading::Object(Ok(sample))) => match context.too_old(sample) {
            None => return Ok(sample.value),
            Some(problem) => problem,
        },
        Some(Reading::Object(Err(error))) => {
            format!("unable to fetch metrics from custom metrics API: {error}")
        }
        _ => not_read("custom"),
    };
    // Upstream hands its arguments over in this order.
    Err(format!(
        "unable to get metric {}: {kind} on {} {object}/{error}",
        metric.name, context.spec.namespace
    ))
}

/// Upstream: computeStatusForObjectMetric.
fn object(
    context: Context<'_>,
    (kind, metric): (&str, &Identifier),
    target: &Target,
    reading: Result<i64, String>,
    step: &mut MetricStep,
) -> Result<Accepted, Failed> {
    let failed = |cause: String, error: String| Failed {
        reason: "FailedGetObjectMetric",
        error: format!("failed to get object metric value: {error}"),
        cause,
    };
    if let Some(problem) = &metric.selector_problem {
        return Err(failed(problem.clone(), problem.clone()));
    }
    match (target.kind, target.value, target.average_value) {
        (TargetKind::Value, Some(wanted), _) => {
            let name = format!("{kind} metric {}", metric.name);
            reading
                .and_then(|usage| value::by_ready_pods(context, usage, wanted, step))
                .map(|(proposal, usage)| Accepted {
                    proposal,
                    name,
                    current: whole(usage),
                })
                .map_err(|e| failed(e.clone(), e))
        }
        (TargetKind::AverageValue, _, Some(wanted)) => {
            let usage = reading.map_err(|e| {
                let error = format!("failed to get {} object metric: {e}", metric.name);
                failed(e, error)
            })?;
            let (proposal, usage) = value::object_per_replica(context, usage, wanted, step);
            // Upstream says "external" here too.
            Ok(Accepted {
                proposal,
                name: external_name(metric),
                current: average(usage),
            })
        }
        _ => {
            let cause = "invalid object metric source: neither a value target nor an average value target was set";
            Err(failed(cause.to_owned(), cause.to_owned()))
        }
    }
}

fn external_reading<'a>(
    context: Context<'_>,
    metric: &Identifier,
    reading: Option<&'a Reading>,
) -> Result<&'a [Sample], String> {
    if let Some(problem) = &metric.selector_problem {
        return Err(problem.clone());
    }
    let error = match reading {
        Some(Reading::External(Ok(series))) if !series.is_empty() => {
            match series.iter().find_map(|sample| context.too_old(sample)) {
                None => return Ok(series),
                Some(problem) => problem,
            }
        }
        Some(Reading::External(Ok(_))) => {
            "no metrics returned from external metrics API".to_owned()
        }
        Some(Reading::External(Err(error))) => {
            format!("unable to fetch metrics from external metrics API: {error}")
        }
        _ => not_read("external"),
    };
    let namespace = &context.spec.namespace;
    Err(format!(
        "unable to get external metric {namespace}/{}/{}: {error}",
        metric.name, metric.selector
    ))
}

/// Upstream: computeStatusForExternalMetric.
fn external(
    context: Context<'_>,
    metric: &Identifier,
    target: &Target,
    reading: Result<&[Sample], String>,
    step: &mut MetricStep,
) -> Result<Accepted, Failed> {
    let failed = |cause: String, error: String| Failed {
        reason: "FailedGetExternalMetric",
        error: format!(
            "failed to get {} external metric value: {error}",
            metric.name
        ),
        cause,
    };
    let name = external_name(metric);
    if let Some(wanted) = target.average_value {
        let series = reading.map_err(|e| {
            let error = format!("failed to get {} external metric: {e}", metric.name);
            failed(e, error)
        })?;
        let (proposal, usage) = value::external_per_replica(context, series, wanted, step);
        return Ok(Accepted {
            proposal,
            name,
            current: average(usage),
        });
    }
    if let Some(wanted) = target.value {
        return reading
            .and_then(|series| {
                value::by_ready_pods(context, value::saturating_sum(series), wanted, step)
            })
            .map(|(proposal, usage)| Accepted {
                proposal,
                name,
                current: whole(usage),
            })
            .map_err(|e| {
                let error = format!("failed to get external metric {}: {e}", metric.name);
                failed(e, error)
            });
    }
    let cause = "invalid external metric source: neither a value target nor an average value target was set";
    Err(failed(cause.to_owned(), cause.to_owned()))
}

fn external_name(metric: &Identifier) -> String {
    format!("external metric {}({})", metric.name, metric.selector)
}

fn average(milli: i64) -> Current {
    let quantity = Quantity::from_milli(milli, Format::DecimalSi);
    Current {
        average_value: Some(quantity),
        ..Current::default()
    }
}

fn whole(milli: i64) -> Current {
    let quantity = Quantity::from_milli(milli, Format::DecimalSi);
    Current {
        value: Some(quantity),
        ..Current::default()
    }
}

/// The observation has no entry for the metric, or one for another type.
fn not_read(api: &str) -> String {
    format!("no metrics returned from {api} metrics API")
}
