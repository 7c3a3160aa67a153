//! What is refused, in upstream's words.
//!
//! Upstream: pkg/apis/*/validation (v1.36). Kinds without rules here are held to those of metadata.

mod admin;
mod batch;
mod check;
mod config;
mod containers;
mod cron;
mod definitions;
mod environment;
mod events;
mod metadata;
mod pods;
mod probes;
mod rbac;
mod requirements;
mod selectors;
mod services;
#[cfg(test)]
mod tests;
mod volumes;
mod workloads;

use crate::json::at;
use crate::resources::Resource;
use check::Check;
use k8s::features::Gates;
use k8s::status::FieldError;
use serde_json::Value;

/// What is wrong with a new object; name and uid must be set.
pub fn validate_create(gates: Gates, resource: &Resource, object: &Value) -> Vec<FieldError> {
    let mut check = Check::default();
    metadata::of_new(&mut check, resource, object);
    kind(&mut check, gates, resource, object, None);
    check.done()
}

/// What is wrong with a change.
pub fn validate_update(
    gates: Gates,
    resource: &Resource,
    subresource: Option<&str>,
    old: &Value,
    new: &Value,
) -> Vec<FieldError> {
    let mut check = Check::default();
    metadata::of_update(&mut check, old, new);
    match subresource {
        None => kind(&mut check, gates, resource, new, Some(old)),
        Some("status") if resource.is("", "namespaces") => admin::namespace_status(&mut check, new),
        Some(_) => {}
    }
    check.done()
}

/// What is wrong with a Scale. Upstream: pkg/apis/autoscaling/validation ValidateScale.
pub fn validate_scale(scale: &Value) -> Vec<FieldError> {
    let mut check = Check::default();
    check.not_negative(at(scale, "spec"), "replicas", "spec");
    check.done()
}

fn kind(check: &mut Check, gates: Gates, resource: &Resource, object: &Value, old: Option<&Value>) {
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "pods") => pods::pod(check, object, old),
        ("", "services") => services::service(check, object, old),
        ("", "secrets") => config::secret(check, object, old),
        ("", "configmaps") => config::config_map(check, object, old),
        ("", "namespaces") => admin::namespace(check, object),
        ("", "nodes") => admin::node(check, object),
        ("", "persistentvolumeclaims") => admin::claim(check, object, old),
        (group @ ("" | "events.k8s.io"), "events") => {
            events::event(check, group, object, old.is_none());
        }
        ("apps", name) => workloads::workload(check, name, object, old),
        ("", "replicationcontrollers") => workloads::replication_controller(check, object),
        ("batch", "jobs") => batch::job(check, object, old),
        ("batch", "cronjobs") => batch::cron_job(check, object, old),
        ("autoscaling", "horizontalpodautoscalers") => {
            autoscaler(check, gates, resource, object, old);
        }
        ("rbac.authorization.k8s.io", name) => rbac::object(check, name, object, old),
        ("policy", "poddisruptionbudgets") => admin::disruption_budget(check, object),
        ("scheduling.k8s.io", "priorityclasses") => admin::priority_class(check, object, old),
        ("coordination.k8s.io", "leases") => admin::lease(check, object),
        ("apiregistration.k8s.io", "apiservices") => definitions::api_service(check, object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            definitions::custom_resource(check, object, old);
        }
        _ => {}
    }
}

/// The rules are those of v2, to which v1 is converted first.
fn autoscaler(
    check: &mut Check,
    gates: Gates,
    resource: &Resource,
    object: &Value,
    old: Option<&Value>,
) {
    let as_v2 = |value: &Value| match resource.version.as_str() {
        "v1" => k8s::autoscaling::v1_to_v2(value.clone()).ok(),
        _ => Some(value.clone()),
    };
    let Some(object) = as_v2(object) else { return };
    let errors = match old.and_then(as_v2) {
        Some(old) => k8s::autoscaling::validate_update(&object, &old, gates.scale_to_zero),
        None => k8s::autoscaling::validate(&object, gates.scale_to_zero),
    };
    check.extend(errors);
}
