//! The target's scale: its Scale, or derived from the target itself as its scale subresource would be.

use crate::documents::{Document, Documents};
use crate::error::Error;
use crate::typed;
use hpa::{ScaleProblem, ScaleStep};
use k8s::autoscaling::scale::{self, Known};
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::CrossVersionObjectReference as Reference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

/// Whether a kind's scale can be derived from the object itself.
pub(crate) fn is_known(group: &str, kind: &str) -> bool {
    Known::of(group, kind).is_some()
}

/// The scale, or why there is none; `unavailable` is the error with which the API would answer.
pub(crate) fn scale(
    documents: &Documents,
    namespace: &str,
    reference: &Reference,
    unavailable: Option<&String>,
) -> Result<Result<Scale, ScaleProblem>, Error> {
    let problem = |error: String, context| Ok(Err(ScaleProblem { error, context }));
    let version = reference.api_version.as_deref().unwrap_or_default();
    // Upstream: schema.ParseGroupVersion.
    let group = match version.split('/').collect::<Vec<_>>().as_slice() {
        [_] => "",
        [group, _] => *group,
        _ => {
            let error = format!("unexpected GroupVersion string: {version}");
            return problem(error, ScaleStep::ApiVersion);
        }
    };
    let found = match own_scale(documents, namespace, reference)? {
        Some(scale) => Some(scale),
        None => derived(documents, namespace, group, reference)?,
    };
    let kind = &reference.kind;
    match (found, unavailable) {
        (None, _) if !is_known(group, kind) => problem(
            format!("no matches for kind {kind:?} in group {group:?}"),
            ScaleStep::Mapping,
        ),
        (_, Some(error)) => problem(error.clone(), ScaleStep::Get),
        (None, None) => {
            let resource = format!("{}s", kind.to_lowercase());
            let dot = if group.is_empty() { "" } else { "." };
            let error = format!("{resource}{dot}{group} {:?} not found", reference.name);
            problem(error, ScaleStep::Get)
        }
        (Some(scale), None) => Ok(Ok(scale)),
    }
}

fn own_scale(
    documents: &Documents,
    namespace: &str,
    reference: &Reference,
) -> Result<Option<Scale>, Error> {
    let of_target = |d: &&Document| {
        d.kind() == "Scale"
            && d.group() == "autoscaling"
            && d.is_in(namespace)
            && (d.name().is_empty() || d.name() == reference.name)
    };
    let mut scales = documents.list.iter().filter(of_target);
    let Some(first) = scales.next() else {
        return Ok(None);
    };
    if let Some(second) = scales.next() {
        return Err(second.error("", "a second Scale of the same target: keep one"));
    }
    typed::read(first).map(Some)
}

fn derived(
    documents: &Documents,
    namespace: &str,
    group: &str,
    reference: &Reference,
) -> Result<Option<Scale>, Error> {
    if !is_known(group, &reference.kind) {
        return Ok(None);
    }
    let is_target = |d: &&Document| {
        d.kind() == reference.kind
            && d.group() == group
            && d.name() == reference.name
            && d.is_in(namespace)
    };
    let mut targets = documents.list.iter().filter(is_target);
    let Some(target) = targets.next() else {
        return Ok(None);
    };
    if let Some(second) = targets.next() {
        return Err(second.error("metadata.name", "the target is there twice: keep one"));
    }
    from_target(target).map(Some)
}

fn from_target(target: &Document) -> Result<Scale, Error> {
    let number = |field: &str, value: &Value| match value {
        Value::Null => Ok(None),
        other => typed::part::<i32>(target, other, field).map(Some),
    };
    let wanted = number("spec.replicas", &target.value["spec"]["replicas"])?;
    let observed = number("status.replicas", &target.value["status"]["replicas"])?;
    let selector = &target.value["spec"]["selector"];
    let text = match (target.kind(), selector) {
        (_, Value::Null) => String::new(),
        ("ReplicationController", Value::Object(labels)) => {
            LabelSelector::from_map(labels).to_string()
        }
        _ => LabelSelector::from_object(selector)
            .map_err(|e| target.error("spec.selector", e))?
            .to_string(),
    };
    let metadata = ObjectMeta {
        uid: target.value["metadata"]["uid"].as_str().map(str::to_owned),
        ..ObjectMeta::default()
    };
    Ok(scale::scale(metadata, wanted, observed, text))
}
