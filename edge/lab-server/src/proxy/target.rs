//! Where a proxied request goes.

use super::Target;
use crate::backend;
use crate::call::Call;
use k8s::status::{ApiError, GroupResource};
use objects::ListQuery;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// Parameters that go to a kubelet under the name they came with.
const LOG: [&str; 8] = [
    "follow",
    "previous",
    "timestamps",
    "sinceSeconds",
    "sinceTime",
    "tailLines",
    "limitBytes",
    "stream",
];
/// Flags of exec and attach, with the kubelet's names for them.
const STREAMS: [(&str, &str); 4] = [
    ("stdin", "input"),
    ("stdout", "output"),
    ("stderr", "error"),
    ("tty", "tty"),
];

/// The target of a call's subresource; `None` when there is nothing to ask.
pub(super) fn find(call: &Call, name: &str) -> Result<Option<Target>, ApiError> {
    match (call.resource.resource.as_str(), name) {
        ("nodes", _) => node(call).map(Some),
        ("services", _) => service(call).map(Some),
        (_, "proxy") => pod(call).map(Some),
        (_, "log") => log(call),
        _ => streams(call, name).map(Some),
    }
}

/// `[scheme:]name[:port]`.
fn split_name(name: &str) -> (&str, Option<&str>) {
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        [name, port] | [_, name, port] if !port.is_empty() => (*name, Some(*port)),
        [name, _] | [_, name, _] => (*name, None),
        _ => (name, None),
    }
}

fn object(call: &Call, resource: &str, namespace: &str, name: &str) -> Result<Value, ApiError> {
    let found = call
        .inner
        .backend
        .get(&format!("/{resource}"), &backend::key(namespace, name));
    let of = GroupResource {
        group: "",
        resource,
    };
    found
        .map(|stored| stored.value())
        .ok_or_else(|| ApiError::not_found(of, name))
}

/// The path that follows `proxy`, with the caller's query.
fn rest(call: &Call) -> String {
    let tail = call.path.tail.as_deref().unwrap_or("");
    match call.query.encoded() {
        "" => format!("/{tail}"),
        query => format!("/{tail}?{query}"),
    }
}

fn node(call: &Call) -> Result<Target, ApiError> {
    let (name, _) = split_name(call.name());
    kubelet(call, name, rest(call))
}

/// A node's kubelet.
fn kubelet(call: &Call, node: &str, path: String) -> Result<Target, ApiError> {
    let node = object(call, "nodes", "", node)?;
    let name = node["metadata"]["name"].as_str().unwrap_or("");
    let addresses = node["status"]["addresses"].as_array().into_iter().flatten();
    let mut addresses = addresses.filter(|address| address["type"] == "InternalIP");
    let ip: Option<IpAddr> =
        addresses.find_map(|address| address["address"].as_str()?.parse().ok());
    let ip = ip.ok_or_else(|| {
        ApiError::internal(format!(
            "no preferred addresses found; known addresses: [] of node {name}"
        ))
    })?;
    let port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"].as_u64();
    let port = port
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port > 0);
    let tls = Some(call.inner.kubelet_tls.clone());
    Ok(Target {
        address: SocketAddr::new(ip, port.unwrap_or(10250)),
        tls,
        path,
    })
}

fn log(call: &Call) -> Result<Option<Target>, ApiError> {
    let pod = object(call, "pods", call.namespace(), call.name())?;
    let container = container(call, &pod)?;
    let Some(node) = pod["spec"]["nodeName"]
        .as_str()
        .filter(|node| !node.is_empty())
    else {
        return Ok(None);
    };
    let given = LOG
        .iter()
        .filter_map(|key| Some(format!("{key}={}", encode(call.query.get(key)?))));
    let query: Vec<String> = given.collect();
    let path = format!(
        "/containerLogs/{}/{}/{container}?{}",
        call.namespace(),
        call.name(),
        query.join("&")
    );
    kubelet(call, node, path).map(Some)
}

fn streams(call: &Call, name: &str) -> Result<Target, ApiError> {
    let pod = object(call, "pods", call.namespace(), call.name())?;
    let Some(node) = pod["spec"]["nodeName"]
        .as_str()
        .filter(|node| !node.is_empty())
    else {
        return Err(ApiError::bad_request(format!(
            "pod {} does not have a host assigned",
            call.name()
        )));
    };
    let (namespace, pod_name) = (call.namespace(), call.name());
    let mut query = Vec::new();
    if name == "portforward" {
        query.extend(
            call.query
                .all("ports")
                .map(|port| format!("port={}", encode(port))),
        );
        return kubelet(
            call,
            node,
            format!("/portForward/{namespace}/{pod_name}?{}", query.join("&")),
        );
    }
    if let Some(phase @ ("Succeeded" | "Failed")) = pod["status"]["phase"].as_str() {
        let (verb, preposition) = if name == "exec" {
            ("exec", "into")
        } else {
            ("attach", "to")
        };
        return Err(ApiError::bad_request(format!(
            "cannot {verb} {preposition} a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = container(call, &pod)?;
    query.extend(
        STREAMS
            .iter()
            .filter(|(ours, _)| call.query.flag(ours))
            .map(|(_, theirs)| format!("{theirs}=1")),
    );
    query.extend(
        call.query
            .all("command")
            .map(|word| format!("command={}", encode(word))),
    );
    kubelet(
        call,
        node,
        format!(
            "/{name}/{namespace}/{pod_name}/{container}?{}",
            query.join("&")
        ),
    )
}

/// The container that is meant.
fn container(call: &Call, pod: &Value) -> Result<String, ApiError> {
    let names = |field: &str| -> Vec<String> {
        let list = pod["spec"][field].as_array().into_iter().flatten();
        list.filter_map(|one| one["name"].as_str().map(str::to_owned))
            .collect()
    };
    let (containers, init) = (names("containers"), names("initContainers"));
    let pod_name = call.name();
    match (call.query.get("container"), containers.as_slice()) {
        (Some(given), _) => {
            let known = containers.iter().chain(&init).any(|name| name == given);
            known.then(|| given.to_owned()).ok_or_else(|| {
                ApiError::bad_request(format!("container {given} is not valid for pod {pod_name}"))
            })
        }
        (None, [one]) => Ok(one.clone()),
        (None, many) => {
            let mut choice = format!("[{}]", many.join(" "));
            if !init.is_empty() {
                choice.push_str(&format!(
                    " or one of the init containers: [{}]",
                    init.join(" ")
                ));
            }
            Err(ApiError::bad_request(format!(
                "a container name must be specified for pod {pod_name}, choose one of: {choice}"
            )))
        }
    }
}

fn pod(call: &Call) -> Result<Target, ApiError> {
    let (name, port) = split_name(call.name());
    let pod = object(call, "pods", call.namespace(), name)?;
    let ip: Option<IpAddr> = pod["status"]["podIP"]
        .as_str()
        .and_then(|ip| ip.parse().ok());
    let ip = ip.ok_or_else(|| {
        ApiError::unavailable("no endpoints available: address not allowed or pod has no IP")
    })?;
    let ports = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = ports.flat_map(|one| one["ports"].as_array().into_iter().flatten());
    let first = ports.find_map(|port| port["containerPort"].as_u64());
    let port = match port {
        Some(port) => port.parse().ok(),
        None => first.and_then(|port| u16::try_from(port).ok()).or(Some(80)),
    };
    let port = port.ok_or_else(|| ApiError::bad_request("the port is not a number"))?;
    Ok(Target {
        address: SocketAddr::new(ip, port),
        tls: None,
        path: rest(call),
    })
}

/// One of the ready addresses behind a Service.
fn service(call: &Call) -> Result<Target, ApiError> {
    let (name, wanted) = split_name(call.name());
    let service = object(call, "services", call.namespace(), name)?;
    let ports = service["spec"]["ports"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let port = ports.iter().find(|port| match wanted {
        None => true,
        Some(wanted) => {
            port["name"] == wanted
                || port["port"].as_u64().map(|p| p.to_string()).as_deref() == Some(wanted)
        }
    });
    let none = || {
        ApiError::unavailable(format!(
            "no endpoints available for service {:?}",
            call.name()
        ))
    };
    let port_name = port.ok_or_else(none)?["name"]
        .as_str()
        .unwrap_or("")
        .to_owned();
    let address = endpoint(call, name, &port_name).ok_or_else(none)?;
    Ok(Target {
        address,
        tls: None,
        path: rest(call),
    })
}

/// A ready endpoint of a Service's port.
pub(crate) fn endpoint(call: &Call, service: &str, port: &str) -> Option<SocketAddr> {
    let prefix = backend::key(call.namespace(), "");
    let query = ListQuery {
        collection: "discovery.k8s.io/endpointslices",
        prefix: &prefix,
        after: None,
        at: None,
    };
    let of_service = |stored: &backend::Payload| {
        stored.meta.label("kubernetes.io/service-name") == Some(service)
    };
    let page = call.inner.backend.list(query, None, of_service).ok()?;
    page.items.iter().find_map(|item| {
        let slice = item.payload.value();
        let ports = slice["ports"].as_array()?;
        let port = ports
            .iter()
            .find(|one| one["name"].as_str().unwrap_or("") == port)?;
        let port = u16::try_from(port["port"].as_u64()?).ok()?;
        let ready = |one: &&Value| one["conditions"]["ready"].as_bool() != Some(false);
        let one = slice["endpoints"].as_array()?.iter().find(ready)?;
        Some(SocketAddr::new(
            one["addresses"][0].as_str()?.parse().ok()?,
            port,
        ))
    })
}

/// Percent-encodes a parameter's value.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
