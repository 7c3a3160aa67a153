//! From a Service to the addresses behind it.
//!
//! Upstream: apiserver/pkg/util/proxy/proxy.go (ResolveEndpoint).

use crate::backend::{self, Backend, Payload};
use objects::ListQuery;
use serde_json::Value;
use std::net::SocketAddr;

/// The collections that an answer depends on.
pub(super) const SERVICES: &str = "/services";
pub(super) const SLICES: &str = "discovery.k8s.io/endpointslices";

/// A Service.
pub(super) fn service(backend: &Backend, namespace: &str, name: &str) -> Option<Payload> {
    backend.get(SERVICES, &backend::key(namespace, name))
}

/// The EndpointSlices of a Service.
pub(super) fn slices(backend: &Backend, namespace: &str, name: &str) -> Vec<Payload> {
    let prefix = backend::key(namespace, "");
    let query = ListQuery {
        collection: SLICES,
        prefix: &prefix,
        after: None,
        at: None,
    };
    let of_service =
        |stored: &Payload| stored.meta.label("kubernetes.io/service-name") == Some(name);
    let page = backend.list(query, None, of_service);
    page.map(|page| page.items.into_iter().map(|item| item.payload).collect())
        .unwrap_or_default()
}

/// The name of a Service's port.
pub(super) fn port_name(service: &Value, port: u16) -> Option<String> {
    let mut ports = service["spec"]["ports"].as_array()?.iter();
    let port = ports.find(|one| one["port"].as_u64() == Some(u64::from(port)))?;
    Some(port["name"].as_str().unwrap_or("").to_owned())
}

/// The ready addresses of a port.
pub(super) fn ready(slices: &[Payload], port_name: &str) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for slice in slices {
        let slice = slice.value();
        let list = |key: &str| slice[key].as_array().cloned().unwrap_or_default();
        let ports = list("ports");
        let port = ports
            .iter()
            .find(|one| one["name"].as_str().unwrap_or("") == port_name);
        let Some(port) = port
            .and_then(|port| port["port"].as_u64())
            .and_then(|port| u16::try_from(port).ok())
        else {
            continue;
        };
        for endpoint in list("endpoints") {
            let address = endpoint["addresses"][0].as_str();
            if endpoint["conditions"]["ready"] != false
                && let Some(address) = address.and_then(|text| text.parse().ok())
            {
                found.push(SocketAddr::new(address, port));
            }
        }
    }
    found
}

/// The ready addresses of a Service's port; the error is upstream's sentence.
pub(super) fn resolve(
    backend: &Backend,
    (namespace, name): (&str, &str),
    port: u16,
) -> Result<Vec<SocketAddr>, String> {
    let service = service(backend, namespace, name)
        .ok_or_else(|| format!("service {name:?} not found"))?
        .value();
    let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP");
    if !["ClusterIP", "NodePort", "LoadBalancer"].contains(&kind) {
        return Err(format!("unsupported service type {kind:?}"));
    }
    let port = port_name(&service, port)
        .ok_or_else(|| format!("no service port {port} found for service {name:?}"))?;
    let found = ready(&slices(backend, namespace, name), &port);
    if found.is_empty() {
        return Err(format!("no endpoints available for service {name:?}"));
    }
    Ok(found)
}
