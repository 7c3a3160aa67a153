//! The EndpointSlices of a service: which to create, change and delete.
//!
//! Upstream: staging/src/k8s.io/endpointslice/reconciler.go (v1.36). Differs from upstream: slices
//! are filled in order of address instead of with the fewest changes; up to 100 endpoints, which is
//! every service of a lab, both give one slice.

use super::backends::{Backend, Port, is_headless};
use super::object::reference;
use crate::meta::{self, Map};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use kube::core::ObjectMeta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Upstream's --max-endpoints-per-slice.
const MOST: usize = 100;
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// What the addresses in slices count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Records {
    /// Addresses, as upstream's controller writes them.
    Addresses,
    /// Names, beside the slices that upstream's controller cannot fill: an API server takes no loopback address as
    /// an address, but dotted numbers are names too, and all who connect to them understand them.
    Names,
}

impl Records {
    fn address_type(self) -> &'static str {
        match self {
            Self::Addresses => "IPv4",
            Self::Names => "FQDN",
        }
    }

    /// Who writes them: each controller leaves alone what another writes.
    fn manager(self) -> &'static str {
        match self {
            Self::Addresses => "endpointslice-controller.k8s.io",
            Self::Names => "lab.evenkeel.dev",
        }
    }
}

/// The writes that bring the slices up to date.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) create: Vec<EndpointSlice>,
    pub(super) update: Vec<EndpointSlice>,
    pub(super) delete: Vec<Arc<EndpointSlice>>,
}

/// Compares the slices that the service owns with what they should be.
pub(super) fn plan(
    service: &Service,
    held: &[Arc<EndpointSlice>],
    backends: &[Backend],
    records: Records,
) -> Plan {
    let mut free: Vec<&Arc<EndpointSlice>> = held
        .iter()
        .filter(|slice| {
            !meta::is_deleted(&***slice) && label(slice, MANAGED_BY) == Some(records.manager())
        })
        .collect();
    let mut plan = Plan::default();
    for wanted in contents(backends) {
        let same_ports = free.iter().position(|slice| slice.ports == wanted.ports);
        let slice = same_ports
            .or((!free.is_empty()).then_some(0))
            .map(|index| free.remove(index));
        match slice {
            Some(slice) => plan
                .update
                .extend(changed(slice, labels(service, records), wanted)),
            None => plan.create.push(new(service, wanted, records)),
        }
    }
    plan.delete = free.into_iter().cloned().collect();
    plan
}

fn label<'a>(slice: &'a EndpointSlice, key: &str) -> Option<&'a str> {
    slice.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

struct Content {
    ports: Option<Vec<EndpointPort>>,
    endpoints: Vec<Endpoint>,
}

/// At least one, even if it is empty.
fn contents(backends: &[Backend]) -> Vec<Content> {
    let mut by_ports: BTreeMap<&[Port], Vec<&Backend>> = BTreeMap::new();
    for backend in backends {
        by_ports.entry(&backend.ports).or_default().push(backend);
    }
    let mut contents: Vec<Content> = by_ports
        .into_iter()
        .flat_map(|(ports, backends)| {
            let chunks: Vec<Content> = backends
                .chunks(MOST)
                .map(|chunk| Content {
                    ports: (!ports.is_empty()).then(|| ports.iter().map(port).collect()),
                    endpoints: chunk.iter().map(|backend| endpoint(backend)).collect(),
                })
                .collect();
            chunks
        })
        .collect();
    if contents.is_empty() {
        contents.push(Content {
            ports: None,
            endpoints: Vec::new(),
        });
    }
    contents
}

fn port(port: &Port) -> EndpointPort {
    EndpointPort {
        name: Some(port.name.clone()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone()),
        app_protocol: port.app_protocol.clone(),
    }
}

fn endpoint(backend: &Backend) -> Endpoint {
    Endpoint {
        addresses: vec![backend.address.clone()],
        conditions: Some(EndpointConditions {
            ready: Some(backend.ready),
            serving: Some(backend.serving),
            terminating: Some(backend.terminating),
        }),
        hostname: backend.hostname.clone(),
        node_name: backend.node.clone(),
        target_ref: Some(reference(backend)),
        ..Endpoint::default()
    }
}

fn labels(service: &Service, records: Records) -> Map {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.into(), meta::name(service).to_owned());
    labels.insert(MANAGED_BY.into(), records.manager().into());
    if is_headless(service) {
        labels.insert(HEADLESS.into(), String::new());
    }
    labels
}

fn new(service: &Service, content: Content, records: Records) -> EndpointSlice {
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", meta::name(service))),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels(service, records)),
            owner_references: Some(vec![meta::controller_reference(service)]),
            ..ObjectMeta::default()
        },
        address_type: records.address_type().into(),
        ports: content.ports,
        endpoints: Some(content.endpoints),
    }
}

fn changed(slice: &EndpointSlice, labels: Map, content: Content) -> Option<EndpointSlice> {
    let held_ports = slice.ports.as_deref().unwrap_or_default();
    if slice.endpoints.as_deref().unwrap_or_default() == content.endpoints
        && held_ports == content.ports.as_deref().unwrap_or_default()
        && slice.metadata.labels.as_ref() == Some(&labels)
    {
        return None;
    }
    let mut changed = slice.clone();
    changed.ports = content.ports;
    changed.endpoints = Some(content.endpoints);
    changed.metadata.labels = Some(labels);
    Some(changed)
}
