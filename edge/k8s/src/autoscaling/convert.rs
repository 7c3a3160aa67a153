//! autoscaling/v1 ↔ autoscaling/v2.
//!
//! Upstream: pkg/apis/autoscaling/v1/conversion.go, Convert_v1_HorizontalPodAutoscaler_To_autoscaling… and back.

use super::annotated::{self, Condition, MetricSpec, MetricStatus};
use super::{DEFAULT_CPU_UTILIZATION, annotation, behavior, go_json};
use crate::status::ApiError;
use k8s_openapi::api::autoscaling::{v1, v2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Turns an autoscaling/v1 HorizontalPodAutoscaler into an autoscaling/v2 one.
///
/// Nothing is defaulted beyond the cpu metric that upstream's conversion adds: call [`super::default_v1`]
/// before and [`super::validate`] after, as the API server does.
pub fn v1_to_v2(mut object: Value) -> Result<Value, ApiError> {
    let spec: v1::HorizontalPodAutoscalerSpec = part(&object, "spec", "v1")?;
    let status: v1::HorizontalPodAutoscalerStatus = part(&object, "status", "v1")?;
    let notes = take_annotations(&mut object);
    let note = |name: &str| notes.get(name).and_then(Value::as_str);

    let mut metrics = note(annotation::METRICS)
        .and_then(read_list::<MetricSpec, _>)
        .unwrap_or_default();
    metrics.extend(spec.target_cpu_utilization_percentage.map(cpu_metric));
    if metrics.is_empty() {
        metrics.push(cpu_metric(DEFAULT_CPU_UTILIZATION));
    }
    let spec = v2::HorizontalPodAutoscalerSpec {
        scale_target_ref: v2::CrossVersionObjectReference {
            api_version: spec.scale_target_ref.api_version,
            kind: spec.scale_target_ref.kind,
            name: spec.scale_target_ref.name,
        },
        min_replicas: spec.min_replicas,
        max_replicas: spec.max_replicas,
        metrics: Some(metrics),
        behavior: note(annotation::BEHAVIOR).and_then(behavior::from_annotation),
    };

    let current_metrics = note(annotation::CURRENT_METRICS)
        .and_then(read_list::<MetricStatus, _>)
        .or_else(|| {
            status
                .current_cpu_utilization_percentage
                .map(|u| vec![cpu_status(u)])
        });
    let status = v2::HorizontalPodAutoscalerStatus {
        observed_generation: status.observed_generation,
        last_scale_time: status.last_scale_time,
        current_replicas: Some(status.current_replicas).filter(|n| *n != 0),
        desired_replicas: status.desired_replicas,
        current_metrics,
        conditions: note(annotation::CONDITIONS).and_then(read_list::<Condition, _>),
    };

    let mut status = to_value(&status)?;
    if let Some(map) = status.as_object_mut() {
        // Upstream's field has no omitempty.
        map.entry("currentMetrics").or_insert(Value::Null);
    }
    assemble(object, "autoscaling/v2", to_value(&spec)?, status)
}

/// Turns an autoscaling/v2 HorizontalPodAutoscaler into an autoscaling/v1 one.
pub fn v2_to_v1(mut object: Value) -> Result<Value, ApiError> {
    let spec: v2::HorizontalPodAutoscalerSpec = part(&object, "spec", "v2")?;
    let status: v2::HorizontalPodAutoscalerStatus = part(&object, "status", "v2")?;
    take_annotations(&mut object);

    let metrics = spec.metrics.unwrap_or_default();
    let statuses = status.current_metrics.unwrap_or_default();
    let old_spec = v1::HorizontalPodAutoscalerSpec {
        scale_target_ref: v1::CrossVersionObjectReference {
            api_version: spec.scale_target_ref.api_version,
            kind: spec.scale_target_ref.kind,
            name: spec.scale_target_ref.name,
        },
        min_replicas: spec.min_replicas,
        max_replicas: spec.max_replicas,
        target_cpu_utilization_percentage: metrics.iter().find_map(cpu_target),
    };
    let old_status = v1::HorizontalPodAutoscalerStatus {
        observed_generation: status.observed_generation,
        last_scale_time: status.last_scale_time,
        current_replicas: status.current_replicas.unwrap_or(0),
        desired_replicas: status.desired_replicas,
        current_cpu_utilization_percentage: statuses.iter().filter_map(cpu_current).next_back(),
    };

    let others: Vec<MetricSpec> = metrics
        .into_iter()
        .filter(|m| cpu_target(m).is_none())
        .map(MetricSpec::from)
        .collect();
    annotate_list(&mut object, annotation::METRICS, &others);
    let statuses: Vec<MetricStatus> = statuses.into_iter().map(MetricStatus::from).collect();
    annotate_list(&mut object, annotation::CURRENT_METRICS, &statuses);
    if let Some(rules) = &spec.behavior {
        annotate(
            &mut object,
            annotation::BEHAVIOR,
            behavior::to_annotation(rules),
        );
    }
    let conditions: Vec<Condition> = status
        .conditions
        .unwrap_or_default()
        .into_iter()
        .map(Condition::from)
        .collect();
    annotate_list(&mut object, annotation::CONDITIONS, &conditions);
    assemble(
        object,
        "autoscaling/v1",
        to_value(&old_spec)?,
        to_value(&old_status)?,
    )
}

fn cpu_metric(utilization: i32) -> v2::MetricSpec {
    v2::MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(v2::ResourceMetricSource {
            name: "cpu".to_owned(),
            target: v2::MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(utilization),
                ..Default::default()
            },
        }),
        ..Default::default()
    }
}

fn cpu_status(utilization: i32) -> v2::MetricStatus {
    v2::MetricStatus {
        type_: "Resource".to_owned(),
        resource: Some(v2::ResourceMetricStatus {
            name: "cpu".to_owned(),
            current: v2::MetricValueStatus {
                average_utilization: Some(utilization),
                ..Default::default()
            },
        }),
        ..Default::default()
    }
}

/// The utilization that version 1 has a field for.
fn cpu_target(metric: &v2::MetricSpec) -> Option<i32> {
    let resource = metric
        .resource
        .as_ref()
        .filter(|r| metric.type_ == "Resource" && r.name == "cpu")?;
    resource.target.average_utilization
}

fn cpu_current(metric: &v2::MetricStatus) -> Option<i32> {
    let resource = metric
        .resource
        .as_ref()
        .filter(|r| metric.type_ == "Resource" && r.name == "cpu")?;
    resource.current.average_utilization
}

fn part<T: DeserializeOwned + Default>(
    object: &Value,
    name: &str,
    version: &str,
) -> Result<T, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::deserialize(value).map_err(|e| {
            ApiError::bad_request(format!(
                "HorizontalPodAutoscaler in version \"{version}\" cannot be handled as a HorizontalPodAutoscaler: {name}: {e}"
            ))
        }),
    }
}

fn to_value<T: Serialize>(value: &T) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(ApiError::internal)
}

fn read_list<From: DeserializeOwned, To>(text: &str) -> Option<Vec<To>>
where
    To: std::convert::From<From>,
{
    let list: Option<Vec<From>> = go_json::read(text, &annotated::FIELDS, &annotated::EXACT)?;
    Some(list.unwrap_or_default().into_iter().map(To::from).collect())
}

/// Removes the round-trip annotations from the object and gives them.
/// Upstream: DropRoundTripHorizontalPodAutoscalerAnnotations.
pub(super) fn take_annotations(object: &mut Value) -> Map<String, Value> {
    let mut taken = Map::new();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return taken;
    };
    let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    else {
        return taken;
    };
    for name in annotation::ROUND_TRIP {
        if let Some(value) = annotations.remove(name) {
            taken.insert(name.to_owned(), value);
        }
    }
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    taken
}

fn annotate_list<T: Serialize>(object: &mut Value, name: &str, list: &[T]) {
    if !list.is_empty() {
        annotate(object, name, go_json::write(&list));
    }
}

fn annotate(object: &mut Value, name: &str, text: String) {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][name] = text.into();
}

fn assemble(
    mut object: Value,
    version: &str,
    spec: Value,
    status: Value,
) -> Result<Value, ApiError> {
    let Some(map) = object.as_object_mut() else {
        return Err(ApiError::bad_request(
            "a HorizontalPodAutoscaler must be an object",
        ));
    };
    map.insert("apiVersion".to_owned(), version.into());
    map.insert("kind".to_owned(), "HorizontalPodAutoscaler".into());
    map.insert("spec".to_owned(), spec);
    map.insert("status".to_owned(), status);
    Ok(object)
}
