//! Kubernetes' objects → what [`hpa::decide`] takes.
//!
//! Quantities become milli-units here, as upstream's controller reads them (`MilliValue`, rounded up).

use hpa::{
    Behavior, Condition, Config, ContainerUsage, Identifier, Metric, Policy, PolicyKind, Ready,
    Resource, Rules, Scale, SelectPolicy, Selection, Source, Spec, Status, Target, TargetKind,
};
use k8s_openapi::api::autoscaling::{v1, v2};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use units::Timestamp;

mod pods;

pub use pods::pod;

/// Why a label selector is none; `None` when it is one. The caller knows the selector language.
pub type SelectorProblem<'a> = &'a dyn Fn(&LabelSelector) -> Option<String>;

/// A HorizontalPodAutoscaler (defaulted) as the decision takes it.
pub fn spec(
    object: &v2::HorizontalPodAutoscaler,
    config: Config,
    problem: SelectorProblem<'_>,
) -> Spec {
    let wanted = &object.spec;
    Spec {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        target_kind: wanted.scale_target_ref.kind.clone(),
        target_name: wanted.scale_target_ref.name.clone(),
        min_replicas: wanted.min_replicas,
        max_replicas: wanted.max_replicas,
        metrics: wanted
            .metrics
            .iter()
            .flatten()
            .map(|m| metric(m, problem))
            .collect(),
        behavior: wanted.behavior.as_ref().map(behavior),
        config,
        options: super::options::of(object),
    }
}

fn metric(metric: &v2::MetricSpec, problem: SelectorProblem<'_>) -> Metric {
    let identifier = |id: &v2::MetricIdentifier| Identifier {
        name: id.name.clone(),
        selector: selector_text(id.selector.as_ref()),
        selector_problem: id.selector.as_ref().and_then(problem),
    };
    let of_type = match metric.type_.as_str() {
        "Resource" => metric.resource.as_ref().map(|r| {
            (
                Source::Resource {
                    name: Resource::from(r.name.as_str()),
                },
                &r.target,
            )
        }),
        "ContainerResource" => metric.container_resource.as_ref().map(|r| {
            let name = Resource::from(r.name.as_str());
            (
                Source::ContainerResource {
                    name,
                    container: r.container.clone(),
                },
                &r.target,
            )
        }),
        "Pods" => metric.pods.as_ref().map(|p| {
            (
                Source::Pods {
                    metric: identifier(&p.metric),
                },
                &p.target,
            )
        }),
        "Object" => metric.object.as_ref().map(|o| {
            let (kind, name) = (
                o.described_object.kind.clone(),
                o.described_object.name.clone(),
            );
            (
                Source::Object {
                    kind,
                    name,
                    metric: identifier(&o.metric),
                },
                &o.target,
            )
        }),
        "External" => metric.external.as_ref().map(|e| {
            (
                Source::External {
                    metric: identifier(&e.metric),
                },
                &e.target,
            )
        }),
        _ => None,
    };
    let nothing = v2::MetricTarget::default();
    let (source, wanted) = of_type.unwrap_or_else(|| {
        (
            Source::Unknown {
                kind: metric.type_.clone(),
            },
            &nothing,
        )
    });
    Metric {
        source,
        target: target(wanted),
    }
}

fn target(target: &v2::MetricTarget) -> Target {
    Target {
        kind: match target.type_.as_str() {
            "Utilization" => TargetKind::Utilization,
            "Value" => TargetKind::Value,
            "AverageValue" => TargetKind::AverageValue,
            _ => TargetKind::Other,
        },
        value: target.value.as_ref().map(milli),
        average_value: target.average_value.as_ref().map(milli),
        average_utilization: target.average_utilization,
    }
}

fn behavior(behavior: &v2::HorizontalPodAutoscalerBehavior) -> Behavior {
    Behavior {
        up: rules(behavior.scale_up.as_ref()),
        down: rules(behavior.scale_down.as_ref()),
    }
}

fn rules(rules: Option<&v2::HPAScalingRules>) -> Rules {
    let empty = v2::HPAScalingRules::default();
    let rules = rules.unwrap_or(&empty);
    Rules {
        stabilization_window_seconds: rules.stabilization_window_seconds,
        select: match rules.select_policy.as_deref() {
            Some("Min") => SelectPolicy::Min,
            Some("Disabled") => SelectPolicy::Disabled,
            _ => SelectPolicy::Max,
        },
        policies: rules.policies.iter().flatten().map(policy).collect(),
        tolerance: rules
            .tolerance
            .as_ref()
            .and_then(parse)
            .map(|q| q.approximate_f64()),
    }
}

fn policy(policy: &v2::HPAScalingPolicy) -> Policy {
    Policy {
        kind: if policy.type_ == "Pods" {
            PolicyKind::Pods
        } else {
            PolicyKind::Percent
        },
        value: policy.value,
        period_seconds: policy.period_seconds,
    }
}

/// The status as the decision takes it.
pub fn status(object: &v2::HorizontalPodAutoscaler) -> Status {
    let Some(status) = &object.status else {
        return Status::default();
    };
    Status {
        current_replicas: status.current_replicas.unwrap_or(0),
        desired_replicas: status.desired_replicas,
        conditions: status.conditions.iter().flatten().map(condition).collect(),
    }
}

fn condition(condition: &v2::HorizontalPodAutoscalerCondition) -> Condition {
    Condition {
        kind: condition.type_.clone().into(),
        status: condition.status.clone().into(),
        reason: condition.reason.clone().unwrap_or_default().into(),
        message: condition.message.clone().unwrap_or_default().into(),
        last_transition: condition.last_transition_time.as_ref().map(time),
    }
}

/// A scale as the decision takes it; the caller has looked at its selector.
pub fn scale(object: &v1::Scale, selection: Selection) -> Scale {
    Scale {
        spec_replicas: object.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0),
        status_replicas: object.status.as_ref().map_or(0, |s| s.replicas),
        selection,
    }
}

/// PodMetrics of metrics.k8s.io, as far as the decision needs them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodMetrics {
    /// For the name and the labels.
    pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    /// When they were measured.
    pub timestamp: Option<Time>,
    /// Over how long, as a Go duration.
    pub window: String,
    /// By container.
    pub containers: Vec<ContainerMetrics>,
}

/// A container's part of [`PodMetrics`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContainerMetrics {
    /// The container's name.
    pub name: String,
    /// By resource.
    pub usage: BTreeMap<String, Quantity>,
}

impl From<&PodMetrics> for hpa::PodMetrics {
    fn from(metrics: &PodMetrics) -> Self {
        let usage = |c: &ContainerMetrics| ContainerUsage {
            name: c.name.clone(),
            usage: amounts(&c.usage),
        };
        Self {
            pod: metrics.metadata.name.clone().unwrap_or_default(),
            timestamp: metrics.timestamp.as_ref().map_or(Timestamp::GO_ZERO, time),
            window: metrics.window.parse().unwrap_or_default(),
            containers: metrics.containers.iter().map(usage).collect(),
        }
    }
}

fn amounts(list: &BTreeMap<String, Quantity>) -> Vec<(Resource, i64)> {
    list.iter()
        .map(|(name, quantity)| amount(name, &quantity.0))
        .collect()
}

/// An entry of a resource list; the amount as [`milli`] gives it.
pub fn amount(name: &str, quantity: &str) -> (Resource, i64) {
    let milli = parse_text(quantity).map_or(0, |q| q.milli_value());
    (Resource::from(name), milli)
}

/// Milli-units, rounded up; 0 for what is no quantity.
pub fn milli(quantity: &Quantity) -> i64 {
    parse(quantity).map_or(0, |q| q.milli_value())
}

fn parse(quantity: &Quantity) -> Option<units::Quantity> {
    parse_text(&quantity.0)
}

fn parse_text(quantity: &str) -> Option<units::Quantity> {
    quantity.trim().parse().ok()
}

/// A point in time.
pub fn time(time: &Time) -> Timestamp {
    Timestamp::from_nanos(time.0.as_nanosecond())
}

/// A selector as Go prints it with `%+v`. Upstream: LabelSelector.String (generated).
pub fn selector_text(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else {
        return "nil".to_owned();
    };
    let mut text = "&LabelSelector{MatchLabels:map[string]string{".to_owned();
    for (key, value) in selector.match_labels.iter().flatten() {
        let _ = write!(text, "{key}: {value},");
    }
    text.push_str("},MatchExpressions:[]LabelSelectorRequirement{");
    for r in selector.match_expressions.iter().flatten() {
        let values = r.values.as_deref().unwrap_or_default().join(" ");
        let _ = write!(
            text,
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},",
            r.key, r.operator
        );
    }
    text.push_str("},}");
    text
}

fn ready(condition: &k8s_openapi::api::core::v1::PodCondition) -> Ready {
    Ready {
        status: match condition.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        },
        last_transition: condition
            .last_transition_time
            .as_ref()
            .map_or(Timestamp::GO_ZERO, time),
    }
}
