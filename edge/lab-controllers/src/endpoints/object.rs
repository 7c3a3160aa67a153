//! The Endpoints object of a service.
//!
//! Upstream: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints (v1.36).

use super::backends::{Backend, Port, is_headless};
use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, ObjectReference, Service,
};
use kube::core::ObjectMeta;
use std::collections::BTreeMap;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// Whether the endpoints were made by this controller.
pub(super) fn is_managed(endpoints: &Endpoints) -> bool {
    let labels = endpoints.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(MANAGED_BY))
        .is_some_and(|by| by == "endpoint-controller")
}

/// The endpoints that `service` should have.
pub(super) fn endpoints(service: &Service, backends: &[Backend]) -> Endpoints {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(MANAGED_BY.into(), "endpoint-controller".into());
    if is_headless(service) {
        labels.insert(HEADLESS.into(), String::new());
    }
    let subsets = subsets(backends);
    Endpoints {
        metadata: ObjectMeta {
            name: service.metadata.name.clone(),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        subsets: (!subsets.is_empty()).then_some(subsets),
    }
}

/// `held` with what is `wanted`, if that differs.
pub(super) fn changed(held: &Endpoints, wanted: Endpoints) -> Option<Endpoints> {
    if held.subsets.as_deref().unwrap_or_default() == wanted.subsets.as_deref().unwrap_or_default()
        && held.metadata.labels == wanted.metadata.labels
    {
        return None;
    }
    let mut changed = held.clone();
    changed.subsets = wanted.subsets;
    changed.metadata.labels = wanted.metadata.labels;
    Some(changed)
}

/// One subset for each combination of ports. Terminating pods are not listed, unless they are
/// published whatever happens.
fn subsets(backends: &[Backend]) -> Vec<EndpointSubset> {
    let mut by_ports: BTreeMap<&[Port], (Vec<EndpointAddress>, Vec<EndpointAddress>)> =
        BTreeMap::new();
    for backend in backends
        .iter()
        .filter(|backend| !backend.terminating || backend.ready)
    {
        let (ready, unready) = by_ports.entry(&backend.ports).or_default();
        if backend.ready { ready } else { unready }.push(address(backend));
    }
    let subset = |(ports, (ready, unready)): (&[Port], (Vec<_>, Vec<_>))| EndpointSubset {
        addresses: (!ready.is_empty()).then_some(ready),
        not_ready_addresses: (!unready.is_empty()).then_some(unready),
        ports: (!ports.is_empty()).then(|| ports.iter().map(port).collect()),
    };
    by_ports.into_iter().map(subset).collect()
}

fn address(backend: &Backend) -> EndpointAddress {
    EndpointAddress {
        ip: backend.address.clone(),
        hostname: backend.hostname.clone(),
        node_name: backend.node.clone(),
        target_ref: Some(reference(backend)),
    }
}

/// The pod that an endpoint stands for.
pub(super) fn reference(backend: &Backend) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".into()),
        namespace: Some(backend.namespace.clone()),
        name: Some(backend.pod.clone()),
        uid: Some(backend.uid.clone()),
        ..ObjectReference::default()
    }
}

fn port(port: &Port) -> EndpointPort {
    EndpointPort {
        name: Some(port.name.clone()).filter(|name| !name.is_empty()),
        port: port.port,
        protocol: Some(port.protocol.clone()),
        app_protocol: port.app_protocol.clone(),
    }
}
