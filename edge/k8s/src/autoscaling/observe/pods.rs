//! Pods and what they request.

use super::{amounts, ready, time};
use hpa::{ContainerRequests, Phase, Pod, Resource};
use k8s_openapi::api::core::v1::{Container, Pod as PodObject, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pod as the decision takes it.
pub fn pod(object: &PodObject) -> Pod {
    let status = object.status.as_ref();
    let spec = object.spec.as_ref();
    let conditions = status.and_then(|s| s.conditions.as_ref());
    Pod {
        name: object.metadata.name.clone().unwrap_or_default(),
        phase: match status.and_then(|s| s.phase.as_deref()) {
            Some("Pending") => Phase::Pending,
            Some("Running") => Phase::Running,
            Some("Succeeded") => Phase::Succeeded,
            Some("Failed") => Phase::Failed,
            _ => Phase::Other,
        },
        deleting: object.metadata.deletion_timestamp.is_some(),
        start_time: status.and_then(|s| s.start_time.as_ref()).map(time),
        ready: conditions
            .and_then(|list| list.iter().find(|c| c.type_ == "Ready"))
            .map(ready),
        pod_level_requests: spec.and_then(pod_level_requests),
        containers: spec.map(containers).unwrap_or_default(),
    }
}

fn restartable(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn requests(container: &Container) -> Option<&BTreeMap<String, Quantity>> {
    container
        .resources
        .as_ref()
        .and_then(|r| r.requests.as_ref())
}

fn containers(spec: &PodSpec) -> Arc<[ContainerRequests]> {
    let sidecars = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|c| restartable(c));
    let of = |c: &Container| ContainerRequests {
        name: c.name.clone(),
        requests: requests(c).map(amounts).unwrap_or_default(),
    };
    spec.containers.iter().chain(sidecars).map(of).collect()
}

/// What the pod requests as a whole, if it says anything of that.
/// Upstream: component-helpers/resource/helpers.go, IsPodLevelRequestsSet and PodRequests.
fn pod_level_requests(spec: &PodSpec) -> Option<Vec<(Resource, i64)>> {
    let own = spec.resources.as_ref()?.requests.as_ref()?;
    let supported = |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    if !own.keys().any(|name| supported(name)) {
        return None;
    }
    let mut sums = container_sums(spec);
    for (name, amount) in own {
        if supported(name) {
            sums.insert(name.clone(), super::milli(amount));
        }
    }
    for (name, amount) in spec.overhead.iter().flatten() {
        let sum = sums.entry(name.clone()).or_default();
        *sum = sum.wrapping_add(super::milli(amount));
    }
    Some(
        sums.into_iter()
            .map(|(name, milli)| (Resource::from(name.as_str()), milli))
            .collect(),
    )
}

/// What the containers need together; an init container's need is a lower bound.
/// Upstream: AggregateContainerRequests.
fn container_sums(spec: &PodSpec) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for container in &spec.containers {
        add(&mut sums, requests(container));
    }
    let mut sidecars = BTreeMap::new();
    let mut least: BTreeMap<String, i64> = BTreeMap::new();
    for container in spec.init_containers.iter().flatten() {
        let mut need = sidecars.clone();
        add(&mut need, requests(container));
        if restartable(container) {
            add(&mut sums, requests(container));
            sidecars.clone_from(&need);
        }
        for (name, milli) in need {
            let bound = least.entry(name).or_default();
            *bound = (*bound).max(milli);
        }
    }
    for (name, milli) in least {
        let sum = sums.entry(name).or_default();
        *sum = (*sum).max(milli);
    }
    sums
}

fn add(sums: &mut BTreeMap<String, i64>, list: Option<&BTreeMap<String, Quantity>>) {
    for (name, amount) in list.into_iter().flatten() {
        let sum = sums.entry(name.clone()).or_default();
        *sum = sum.wrapping_add(super::milli(amount));
    }
}
