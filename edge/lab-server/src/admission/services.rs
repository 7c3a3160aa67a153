//! Cluster addresses and node ports of Services.
//!
//! What is taken is what the stored Services say, so nothing can leak or be given twice.
//!
//! Upstream: pkg/registry/core/service/storage/alloc.go.

use crate::call::Call;
use k8s::status::FieldError;
use lab_kinds::strategy::{needs_cluster_ip, needs_node_ports};
use objects::ListQuery;
use runtime::network::LabNetwork;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Upstream: --service-node-port-range.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// Addresses and ports of all Services but one.
#[derive(Debug, Default)]
struct Taken {
    addresses: BTreeSet<String>,
    ports: BTreeSet<u64>,
}

/// Gives a Service the address and the ports it needs.
pub(super) fn allocate(call: &Call, service: &mut Value) -> Vec<FieldError> {
    let mut taken = taken(call, &service["metadata"]["name"]);
    let mut errors = Vec::new();
    if needs_cluster_ip(service) {
        errors.extend(address(call.inner.network, &taken, service));
    }
    if needs_node_ports(service) {
        errors.extend(ports(&mut taken, service));
    }
    errors
}

fn taken(call: &Call, but: &Value) -> Taken {
    let query = ListQuery {
        collection: "/services",
        prefix: "",
        after: None,
        at: None,
    };
    let mut taken = Taken::default();
    let but = (call.namespace(), but.as_str().unwrap_or(""));
    let other =
        |stored: &crate::backend::Payload| (&*stored.meta.namespace, &*stored.meta.name) != but;
    let Ok(page) = call.inner.backend.list(query, None, other) else {
        return taken;
    };
    for item in page.items {
        let service = item.payload.value();
        let addresses = service["spec"]["clusterIPs"]
            .as_array()
            .into_iter()
            .flatten();
        taken
            .addresses
            .extend(addresses.filter_map(|ip| ip.as_str().map(str::to_owned)));
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        taken
            .ports
            .extend(ports.filter_map(|port| port["nodePort"].as_u64()));
        taken
            .ports
            .extend(service["spec"]["healthCheckNodePort"].as_u64());
    }
    taken
}

fn address(network: LabNetwork, taken: &Taken, service: &mut Value) -> Option<FieldError> {
    let spec = &mut service["spec"];
    let given = spec["clusterIP"]
        .as_str()
        .filter(|ip| !ip.is_empty())
        .map(str::to_owned);
    let refuse = |ip: &str, why: String| {
        let why = format!("failed to allocate IP {ip}: {why}");
        Some(FieldError::invalid("spec.clusterIPs", &json!([ip]), why))
    };
    let ip = match given.as_deref() {
        Some("None") => return None,
        Some(ip) if taken.addresses.contains(ip) => {
            return refuse(ip, "provided IP is already allocated".to_owned());
        }
        Some(ip) => {
            let ours = ip
                .parse::<Ipv4Addr>()
                .is_ok_and(|ip| network.has_service(ip));
            if !ours {
                let range = format!("127.{}.64.0/18", network.block());
                let why = format!(
                    "the provided IP ({ip}) is not in the valid range. The range of valid IPs is {range}"
                );
                return refuse(ip, why);
            }
            ip.to_owned()
        }
        None => {
            let all = (1..LabNetwork::SERVICES_MAX).filter_map(|index| network.service(index));
            let mut free = all
                .map(|ip| ip.to_string())
                .filter(|ip| !taken.addresses.contains(ip));
            match free.next() {
                Some(ip) => ip,
                None => return refuse("", "range is full".to_owned()),
            }
        }
    };
    spec["clusterIP"] = ip.as_str().into();
    spec["clusterIPs"] = json!([ip]);
    None
}

fn ports(taken: &mut Taken, service: &mut Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Some(ports) = service["spec"]["ports"].as_array_mut() else {
        return errors;
    };
    for (index, port) in ports.iter_mut().enumerate() {
        let field = format!("spec.ports[{index}].nodePort");
        match port["nodePort"].as_u64().filter(|port| *port > 0) {
            Some(given) if !NODE_PORTS.contains(&u16::try_from(given).unwrap_or(0)) => {
                let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
                errors.push(FieldError::invalid(field, &json!(given), why));
            }
            Some(given) => {
                if !taken.ports.insert(given) {
                    let why = "provided port is already allocated";
                    errors.push(FieldError::invalid(field, &json!(given), why));
                }
            }
            None => match free_port(&taken.ports) {
                Some(free) => {
                    taken.ports.insert(free);
                    port["nodePort"] = free.into();
                }
                None => errors.push(FieldError::invalid(field, &json!(0), "range is full")),
            },
        }
    }
    errors
}

/// A free port, searched from a random one on.
fn free_port(taken: &BTreeSet<u64>) -> Option<u64> {
    let random = uuid::Uuid::new_v4().as_u128();
    let all: Vec<u64> = NODE_PORTS.map(u64::from).collect();
    let start = usize::try_from(random % all.len() as u128).unwrap_or(0);
    let mut from = all[start..].iter().chain(&all[..start]);
    from.find(|port| !taken.contains(port)).copied()
}
