//! The pods behind a service, with the ports that the service reaches on each.

use crate::meta::{self, Map};
use crate::pods;
use k8s_openapi::api::core::v1::{Container, Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

/// A port as both Endpoints and EndpointSlices name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) port: i32,
    pub(super) protocol: String,
    pub(super) app_protocol: Option<String>,
}

/// One pod behind a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    pub(super) address: String,
    pub(super) node: Option<String>,
    pub(super) hostname: Option<String>,
    pub(super) pod: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    /// The pod's own readiness.
    pub(super) serving: bool,
    pub(super) terminating: bool,
    /// Whether traffic should come.
    pub(super) ready: bool,
    pub(super) ports: Vec<Port>,
}

/// The selector of a service whose endpoints are ours to write.
pub(super) fn selector(service: &Service) -> Option<&Map> {
    let spec = service.spec.as_ref()?;
    let external = spec.type_.as_deref() == Some("ExternalName");
    spec.selector
        .as_ref()
        .filter(|selector| !selector.is_empty() && !external)
}

/// Whether the service has no address of its own.
pub(super) fn is_headless(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

/// Whether unready pods are to be published as ready.
pub(super) fn publishes_unready(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.publish_not_ready_addresses) == Some(true)
}

/// The backends of `service` among `pods`, which its selector has chosen; ordered by address.
pub(super) fn of(service: &Service, pods: &[Arc<Pod>]) -> Vec<Backend> {
    let mut backends: Vec<Backend> = pods
        .iter()
        .filter_map(|pod| backend(service, pod))
        .collect();
    backends.sort_by(|a, b| (&a.address, &a.pod).cmp(&(&b.address, &b.pod)));
    backends
}

fn backend(service: &Service, pod: &Pod) -> Option<Backend> {
    let address = pod
        .status
        .as_ref()?
        .pod_ip
        .clone()
        .filter(|address| !address.is_empty())?;
    if pods::is_finished(pod) {
        return None;
    }
    let serving = pods::is_ready(pod);
    let terminating = meta::is_deleted(pod);
    Some(Backend {
        address,
        node: pods::node_name(pod).map(str::to_owned),
        hostname: hostname(service, pod),
        pod: meta::name(pod).to_owned(),
        namespace: meta::namespace(pod).to_owned(),
        uid: meta::uid(pod).to_owned(),
        serving,
        terminating,
        ready: publishes_unready(service) || serving && !terminating,
        ports: ports(service, pod),
    })
}

/// The pod's own DNS name under the service, if it asks for one.
fn hostname(service: &Service, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let under = spec.subdomain.as_deref() == Some(meta::name(service));
    spec.hostname
        .clone()
        .filter(|hostname| under && !hostname.is_empty())
}

fn ports(service: &Service, pod: &Pod) -> Vec<Port> {
    let wanted = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    wanted
        .into_iter()
        .flatten()
        .filter_map(|port| {
            Some(Port {
                name: port.name.clone().unwrap_or_default(),
                port: target(port, pod)?,
                protocol: protocol(port.protocol.as_deref()).to_owned(),
                app_protocol: port.app_protocol.clone(),
            })
        })
        .collect()
}

fn protocol(protocol: Option<&str>) -> &str {
    protocol.unwrap_or("TCP")
}

/// The pod's port for a service's port. Upstream: pkg/api/v1/pod/util.go, FindPort.
fn target(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => named(name, protocol(port.protocol.as_deref()), pod),
    }
}

fn named(name: &str, wanted: &str, pod: &Pod) -> Option<i32> {
    let spec = pod.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars =
        sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let ports = |container: &Container| container.ports.clone().unwrap_or_default();
    let found = spec
        .containers
        .iter()
        .chain(sidecars)
        .flat_map(ports)
        .find(|port| {
            port.name.as_deref() == Some(name) && protocol(port.protocol.as_deref()) == wanted
        })?;
    Some(found.container_port)
}
