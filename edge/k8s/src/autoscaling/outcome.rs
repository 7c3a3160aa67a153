//! What [`hpa::decide`] answers → the status that is written.

use hpa::{Condition, Current, CurrentMetrics, Outcome};
use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff;
use units::Timestamp;

/// The status after a decision, for `object` as it was when it was decided on.
///
/// Upstream: setStatus, which drops observedGeneration; and the paths that do not call it.
pub fn status_after(
    object: &v2::HorizontalPodAutoscaler,
    outcome: &Outcome,
    now: Timestamp,
) -> v2::HorizontalPodAutoscalerStatus {
    let old = object.status.clone().unwrap_or_default();
    let conditions = Some(outcome.conditions.iter().map(condition).collect());
    let metrics = match &outcome.current_metrics {
        CurrentMetrics::Kept => return v2::HorizontalPodAutoscalerStatus { conditions, ..old },
        CurrentMetrics::None => None,
        CurrentMetrics::Read(list) => Some(statuses(object, list)),
    };
    v2::HorizontalPodAutoscalerStatus {
        conditions,
        current_metrics: metrics,
        current_replicas: Some(outcome.current_replicas).filter(|n| *n != 0),
        desired_replicas: outcome.desired_replicas,
        last_scale_time: if outcome.scaled_now {
            time(now)
        } else {
            old.last_scale_time
        },
        observed_generation: None,
    }
}

/// Whether two statuses say the same, so that nothing need be written.
/// Upstream: updateStatusIfNeeded with apiequality.Semantic: nothing and an empty list are the same.
pub fn same_status(
    old: Option<&v2::HorizontalPodAutoscalerStatus>,
    new: &v2::HorizontalPodAutoscalerStatus,
) -> bool {
    let plain = |status: Option<&v2::HorizontalPodAutoscalerStatus>| {
        let mut status = status.cloned().unwrap_or_default();
        status.conditions = status.conditions.filter(|list| !list.is_empty());
        status.current_metrics = status.current_metrics.filter(|list| !list.is_empty());
        status.current_replicas = status.current_replicas.filter(|n| *n != 0);
        status
    };
    plain(old) == plain(Some(new))
}

/// Seconds are all that an object's times have.
pub(crate) fn time(at: Timestamp) -> Option<Time> {
    jiff::Timestamp::from_second(at.seconds()).ok().map(Time)
}

fn condition(condition: &Condition) -> v2::HorizontalPodAutoscalerCondition {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    v2::HorizontalPodAutoscalerCondition {
        type_: condition.kind.clone().into_owned(),
        status: condition.status.clone().into_owned(),
        reason: some(&condition.reason),
        message: some(&condition.message),
        last_transition_time: condition.last_transition.and_then(time),
    }
}

fn statuses(
    object: &v2::HorizontalPodAutoscaler,
    list: &[Option<Current>],
) -> Vec<v2::MetricStatus> {
    let metrics = object.spec.metrics.as_deref().unwrap_or_default();
    let status = |(metric, current): (&v2::MetricSpec, &Option<Current>)| match current {
        Some(current) => metric_status(metric, value(current)),
        // A metric that failed leaves an entry that says nothing.
        None => v2::MetricStatus::default(),
    };
    metrics.iter().zip(list).map(status).collect()
}

fn value(current: &Current) -> v2::MetricValueStatus {
    let quantity = |q: &Option<units::Quantity>| q.as_ref().map(|q| Quantity(q.to_string()));
    v2::MetricValueStatus {
        value: quantity(&current.value),
        average_value: quantity(&current.average_value),
        average_utilization: current.average_utilization,
    }
}

fn metric_status(metric: &v2::MetricSpec, current: v2::MetricValueStatus) -> v2::MetricStatus {
    let mut status = v2::MetricStatus {
        type_: metric.type_.clone(),
        ..Default::default()
    };
    match metric.type_.as_str() {
        "Resource" => {
            status.resource = metric.resource.as_ref().map(|r| v2::ResourceMetricStatus {
                name: r.name.clone(),
                current,
            });
        }
        "ContainerResource" => {
            status.container_resource =
                metric
                    .container_resource
                    .as_ref()
                    .map(|r| v2::ContainerResourceMetricStatus {
                        name: r.name.clone(),
                        container: r.container.clone(),
                        current,
                    });
        }
        "Pods" => {
            status.pods = metric.pods.as_ref().map(|p| v2::PodsMetricStatus {
                metric: p.metric.clone(),
                current,
            });
        }
        "Object" => {
            status.object = metric.object.as_ref().map(|o| v2::ObjectMetricStatus {
                described_object: o.described_object.clone(),
                metric: o.metric.clone(),
                current,
            });
        }
        _ => {
            status.external = metric.external.as_ref().map(|e| v2::ExternalMetricStatus {
                metric: e.metric.clone(),
                current,
            });
        }
    }
    status
}
