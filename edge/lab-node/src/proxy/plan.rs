//! Which addresses there should be, and what is behind each.

use crate::cluster::{ServicePort, ServiceView};
use runtime::network::LabNetwork;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Whose addresses are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The lab's addresses.
    pub(super) network: LabNetwork,
    /// The node's own.
    pub(super) node: Ipv4Addr,
    /// Whether the addresses that belong to no node are this one's to serve.
    pub(super) first: bool,
}

/// What is behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// `NAMESPACE/NAME`, for messages.
    pub(super) service: String,
    /// Who serves it; never empty.
    pub(super) endpoints: Vec<SocketAddr>,
    /// How long a client stays with its endpoint, if it does.
    pub(super) affinity: Option<Duration>,
}

/// Every address to serve.
pub(super) type Plan = BTreeMap<SocketAddr, Target>;

/// Plans for `services`, of which the first has an address that two claim.
pub(super) fn plan(services: &[ServiceView], place: &Place) -> Plan {
    let mut plan = Plan::new();
    for service in services {
        for port in service.ports.iter().filter(|port| port.tcp) {
            for address in fronts(service, port, place) {
                let target = || Target {
                    service: format!("{}/{}", service.namespace, service.name),
                    endpoints: port.endpoints.clone(),
                    affinity: service.affinity,
                };
                plan.entry(address).or_insert_with(target);
            }
        }
    }
    without_circles(plan)
}

/// The addresses of one port. Objects are anybody's: only what the lab's address plan has for Services
/// is ever served.
fn fronts(service: &ServiceView, port: &ServicePort, place: &Place) -> Vec<SocketAddr> {
    let network = place.network;
    let ours = |ip: &IpAddr, belongs: fn(LabNetwork, Ipv4Addr) -> bool| match ip {
        IpAddr::V4(ip) => place.first && belongs(network, *ip),
        IpAddr::V6(_) => false,
    };
    let cluster = service
        .cluster_ip
        .iter()
        .filter(|ip| ours(ip, LabNetwork::has_service));
    let balancers = service
        .load_balancers
        .iter()
        .filter(|ip| ours(ip, is_load_balancer));
    let mut fronts: Vec<SocketAddr> = cluster
        .chain(balancers)
        .map(|ip| SocketAddr::new(*ip, port.port))
        .collect();
    if let Some(node_port) = port.node_port {
        fronts.push(SocketAddr::new(place.node.into(), node_port));
        if place.first {
            fronts.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), node_port));
        }
    }
    fronts
}

/// See the table of [`LabNetwork`].
fn is_load_balancer(network: LabNetwork, address: Ipv4Addr) -> bool {
    let [net, block, third, _] = address.octets();
    net == 127 && block == network.block() && (1..16).contains(&third)
}

/// A Service's address is no endpoint, or a connection could go round for ever. Upstream has no such
/// endpoints either: an address is translated once.
fn without_circles(plan: Plan) -> Plan {
    let fronts: BTreeSet<SocketAddr> = plan.keys().copied().collect();
    let kept = plan.into_iter().filter_map(|(address, mut target)| {
        target
            .endpoints
            .retain(|endpoint| !fronts.contains(endpoint));
        (!target.endpoints.is_empty()).then_some((address, target))
    });
    kept.collect()
}
