//! Variables that name a namespace's Services. Upstream: pkg/kubelet/envvars/envvars.go.

use crate::cluster::ServiceView;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// `APP_SERVICE_HOST`, `APP_PORT_8080_TCP_ADDR` and so on of the pod's namespace (with
/// `enableServiceLinks`), and those of the API, which answers at `api`.
pub fn service_variables(
    services: &[ServiceView],
    namespace: &str,
    links: bool,
    api: SocketAddr,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    if links {
        for service in services.iter().filter(|s| s.namespace == namespace) {
            add(&mut variables, service);
        }
    }
    let mut put = |name: &str, value: String| variables.insert(format!("KUBERNETES_{name}"), value);
    let (host, port) = (api.ip(), api.port());
    put("SERVICE_HOST", host.to_string());
    put("SERVICE_PORT", port.to_string());
    put("SERVICE_PORT_HTTPS", port.to_string());
    put("PORT", format!("tcp://{api}"));
    for (suffix, value) in [
        ("", format!("tcp://{api}")),
        ("_PROTO", "tcp".to_owned()),
        ("_PORT", port.to_string()),
        ("_ADDR", host.to_string()),
    ] {
        put(&format!("PORT_{port}_TCP{suffix}"), value);
    }
    variables
}

fn add(variables: &mut BTreeMap<String, String>, service: &ServiceView) {
    let (Some(host), Some(first)) = (service.cluster_ip, service.ports.first()) else {
        return;
    };
    let prefix = service.name.to_uppercase().replace('-', "_");
    let mut put = |name: String, value: String| variables.insert(format!("{prefix}_{name}"), value);
    put("SERVICE_HOST".to_owned(), host.to_string());
    put("SERVICE_PORT".to_owned(), first.port.to_string());
    for port in &service.ports {
        if !port.name.is_empty() {
            let name = port.name.to_uppercase().replace('-', "_");
            put(format!("SERVICE_PORT_{name}"), port.port.to_string());
        }
    }
    for (index, port) in service.ports.iter().enumerate() {
        let (upper, lower) = if port.tcp {
            ("TCP", "tcp")
        } else {
            ("UDP", "udp")
        };
        let number = port.port;
        let url = format!("{lower}://{host}:{number}");
        if index == 0 {
            put("PORT".to_owned(), url.clone());
        }
        put(format!("PORT_{number}_{upper}"), url);
        put(format!("PORT_{number}_{upper}_PROTO"), lower.to_owned());
        put(format!("PORT_{number}_{upper}_PORT"), number.to_string());
        put(format!("PORT_{number}_{upper}_ADDR"), host.to_string());
    }
}
