//! Metric specifications, both ways.

use super::{
    ContainerResourceSource, ExternalSource, MetricSpec, ObjectSource, PodsSource, ResourceSource,
};
use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

impl From<v2::MetricSpec> for MetricSpec {
    fn from(m: v2::MetricSpec) -> Self {
        Self {
            r#type: m.type_,
            object: m.object.map(|o| ObjectSource {
                target: o.described_object.into(),
                metric_name: o.metric.name,
                target_value: o.target.value.into(),
                selector: o.metric.selector.map(Into::into),
                average_value: o.target.average_value,
            }),
            pods: m.pods.map(|p| PodsSource {
                metric_name: p.metric.name,
                target_average_value: p.target.average_value.into(),
                selector: p.metric.selector.map(Into::into),
            }),
            resource: m.resource.map(|r| ResourceSource {
                name: r.name,
                target_average_utilization: r.target.average_utilization,
                target_average_value: r.target.average_value,
            }),
            container_resource: m.container_resource.map(|r| ContainerResourceSource {
                name: r.name,
                target_average_utilization: r.target.average_utilization,
                target_average_value: r.target.average_value,
                container: r.container,
            }),
            external: m.external.map(|e| ExternalSource {
                metric_name: e.metric.name,
                metric_selector: e.metric.selector.map(Into::into),
                target_value: e.target.value,
                target_average_value: e.target.average_value,
            }),
        }
    }
}

impl From<MetricSpec> for v2::MetricSpec {
    fn from(m: MetricSpec) -> Self {
        Self {
            type_: m.r#type,
            object: m.object.map(object),
            pods: m.pods.map(|p| v2::PodsMetricSource {
                metric: v2::MetricIdentifier {
                    name: p.metric_name,
                    selector: p.selector.map(Into::into),
                },
                target: v2::MetricTarget {
                    type_: "AverageValue".to_owned(),
                    average_value: Some(p.target_average_value.0),
                    ..Default::default()
                },
            }),
            resource: m.resource.map(|r| v2::ResourceMetricSource {
                name: r.name,
                target: resource_target(r.target_average_utilization, r.target_average_value),
            }),
            container_resource: m
                .container_resource
                .map(|r| v2::ContainerResourceMetricSource {
                    name: r.name,
                    container: r.container,
                    target: resource_target(r.target_average_utilization, r.target_average_value),
                }),
            external: m.external.map(|e| v2::ExternalMetricSource {
                metric: v2::MetricIdentifier {
                    name: e.metric_name,
                    selector: e.metric_selector.map(Into::into),
                },
                target: v2::MetricTarget {
                    type_: if e.target_value.is_none() {
                        "AverageValue"
                    } else {
                        "Value"
                    }
                    .to_owned(),
                    value: e.target_value,
                    average_value: e.target_average_value,
                    average_utilization: None,
                },
            }),
        }
    }
}

fn object(o: ObjectSource) -> v2::ObjectMetricSource {
    // Version 1 cannot leave targetValue out, so a zero beside averageValue means "not set".
    let (type_, value) = match &o.average_value {
        None => ("Value", Some(o.target_value.0)),
        Some(_) if o.target_value.is_zero() => ("AverageValue", None),
        Some(_) => ("AverageValue", Some(o.target_value.0)),
    };
    v2::ObjectMetricSource {
        described_object: o.target.into(),
        metric: v2::MetricIdentifier {
            name: o.metric_name,
            selector: o.selector.map(Into::into),
        },
        target: v2::MetricTarget {
            type_: type_.to_owned(),
            value,
            average_value: o.average_value,
            average_utilization: None,
        },
    }
}

fn resource_target(utilization: Option<i32>, average: Option<Quantity>) -> v2::MetricTarget {
    v2::MetricTarget {
        type_: if utilization.is_none() {
            "AverageValue"
        } else {
            "Utilization"
        }
        .to_owned(),
        value: None,
        average_value: average,
        average_utilization: utilization,
    }
}
