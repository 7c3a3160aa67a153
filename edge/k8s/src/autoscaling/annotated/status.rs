//! Metric statuses, both ways.

use super::{
    ContainerResourceStatus, ExternalStatus, MetricStatus, Number, ObjectStatus, PodsStatus,
    ResourceStatus,
};
use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

impl From<v2::MetricStatus> for MetricStatus {
    fn from(m: v2::MetricStatus) -> Self {
        Self {
            r#type: m.type_,
            object: m.object.map(|o| ObjectStatus {
                target: o.described_object.into(),
                metric_name: o.metric.name,
                current_value: o.current.value.into(),
                selector: o.metric.selector.map(Into::into),
                average_value: o.current.average_value,
            }),
            pods: m.pods.map(|p| PodsStatus {
                metric_name: p.metric.name,
                current_average_value: p.current.average_value.into(),
                selector: p.metric.selector.map(Into::into),
            }),
            resource: m.resource.map(|r| ResourceStatus {
                name: r.name,
                current_average_utilization: r.current.average_utilization,
                current_average_value: r.current.average_value.into(),
            }),
            container_resource: m.container_resource.map(|r| ContainerResourceStatus {
                name: r.name,
                current_average_utilization: r.current.average_utilization,
                current_average_value: r.current.average_value.into(),
                container: r.container,
            }),
            external: m.external.map(|e| ExternalStatus {
                metric_name: e.metric.name,
                metric_selector: e.metric.selector.map(Into::into),
                current_value: e.current.value.into(),
                current_average_value: e.current.average_value,
            }),
        }
    }
}

impl From<MetricStatus> for v2::MetricStatus {
    fn from(m: MetricStatus) -> Self {
        Self {
            type_: m.r#type,
            object: m.object.map(|o| v2::ObjectMetricStatus {
                described_object: o.target.into(),
                metric: v2::MetricIdentifier {
                    name: o.metric_name,
                    selector: o.selector.map(Into::into),
                },
                current: value(o.current_value, o.average_value),
            }),
            pods: m.pods.map(|p| v2::PodsMetricStatus {
                metric: v2::MetricIdentifier {
                    name: p.metric_name,
                    selector: p.selector.map(Into::into),
                },
                current: utilization(None, p.current_average_value),
            }),
            resource: m.resource.map(|r| v2::ResourceMetricStatus {
                name: r.name,
                current: utilization(r.current_average_utilization, r.current_average_value),
            }),
            container_resource: m
                .container_resource
                .map(|r| v2::ContainerResourceMetricStatus {
                    name: r.name,
                    container: r.container,
                    current: utilization(r.current_average_utilization, r.current_average_value),
                }),
            external: m.external.map(|e| v2::ExternalMetricStatus {
                metric: v2::MetricIdentifier {
                    name: e.metric_name,
                    selector: e.metric_selector.map(Into::into),
                },
                current: value(e.current_value, e.current_average_value),
            }),
        }
    }
}

fn value(value: Number, average: Option<Quantity>) -> v2::MetricValueStatus {
    v2::MetricValueStatus {
        value: Some(value.0),
        average_value: average,
        average_utilization: None,
    }
}

fn utilization(utilization: Option<i32>, average: Number) -> v2::MetricValueStatus {
    v2::MetricValueStatus {
        value: None,
        average_value: Some(average.0),
        average_utilization: utilization,
    }
}
