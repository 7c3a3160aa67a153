//! The downward API: a pod's own fields and resources.
//!
//! Upstream: pkg/fieldpath/fieldpath.go, pkg/api/v1/resource/helpers.go (ExtractContainerResourceValue).

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};
use std::collections::BTreeMap;
use units::Quantity;

/// A field of the pod: `metadata.name`, `status.podIP`, `metadata.labels['app']`, …
pub fn field(pod: &Pod, path: &str) -> Result<String, String> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let own = |value: Option<&String>| Ok(value.cloned().unwrap_or_default());
    if let Some((kind, key)) = subscript(path) {
        let map = match kind {
            "metadata.labels" => meta.labels.as_ref(),
            "metadata.annotations" => meta.annotations.as_ref(),
            _ => return Err(format!("unsupported fieldPath: {path}")),
        };
        return own(map.and_then(|m| m.get(key)));
    }
    let joined = |ips: Vec<&str>| Ok(ips.join(","));
    match path {
        "metadata.name" => own(meta.name.as_ref()),
        "metadata.namespace" => own(meta.namespace.as_ref()),
        "metadata.uid" => own(meta.uid.as_ref()),
        "metadata.labels" => Ok(format_map(meta.labels.as_ref())),
        "metadata.annotations" => Ok(format_map(meta.annotations.as_ref())),
        "spec.nodeName" => own(spec.and_then(|s| s.node_name.as_ref())),
        "spec.serviceAccountName" => own(spec.and_then(|s| s.service_account_name.as_ref())),
        "status.podIP" => own(status.and_then(|s| s.pod_ip.as_ref())),
        "status.hostIP" => own(status.and_then(|s| s.host_ip.as_ref())),
        "status.podIPs" => joined(
            status
                .iter()
                .flat_map(|s| s.pod_ips.iter().flatten())
                .map(|i| i.ip.as_str())
                .collect(),
        ),
        "status.hostIPs" => joined(
            status
                .iter()
                .flat_map(|s| s.host_ips.iter().flatten())
                .map(|i| i.ip.as_str())
                .collect(),
        ),
        _ => Err(format!("unsupported fieldPath: {path}")),
    }
}

fn subscript(path: &str) -> Option<(&str, &str)> {
    let (kind, rest) = path.split_once("['")?;
    Some((kind, rest.strip_suffix("']")?))
}

/// `key="value"` lines, sorted. Upstream: FormatMap.
fn format_map(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={v:?}"))
        .collect();
    lines.join("\n")
}

/// A container's resource, in units of the divisor, rounded up.
pub fn resource(
    pod: &Pod,
    own: Option<&Container>,
    selector: &ResourceFieldSelector,
) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let named = selector.container_name.as_deref().filter(|n| !n.is_empty());
    let container = match named {
        None => own,
        Some(name) => spec.and_then(|s| {
            s.containers
                .iter()
                .chain(s.init_containers.iter().flatten())
                .find(|c| c.name == name)
        }),
    };
    let container =
        container.ok_or_else(|| format!("container {} not found", named.unwrap_or("")))?;
    let (list, name) = selector
        .resource
        .split_once('.')
        .ok_or_else(|| format!("unsupported container resource : {}", selector.resource))?;
    let resources = container.resources.as_ref();
    let chosen = match list {
        "limits" => resources.and_then(|r| r.limits.as_ref()),
        "requests" => resources.and_then(|r| r.requests.as_ref()),
        _ => {
            return Err(format!(
                "unsupported container resource : {}",
                selector.resource
            ));
        }
    };
    let quantity = chosen.and_then(|m| m.get(name)).map(|q| q.0.clone());
    // The API server writes "0" where nothing was said. Upstream: a divisor of 0 is 1.
    let divisor = selector.divisor.as_ref().map_or("1", |d| d.0.as_str());
    let divisor = if milli(divisor) == 0 { "1" } else { divisor };
    match (name, quantity) {
        ("cpu", Some(q)) => Ok(divide(milli(&q), milli(divisor).max(1))),
        (_, Some(q)) => Ok(divide(whole(&q), whole(divisor).max(1))),
        // Without a limit, the node's.
        ("cpu", None) if list == "limits" => {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            Ok(divide(
                i64::try_from(cores).unwrap_or(1) * 1_000,
                milli(divisor).max(1),
            ))
        }
        ("memory", None) if list == "limits" => {
            let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
            let bytes = crate::proc::meminfo_field(&meminfo, "MemTotal").unwrap_or_default();
            Ok(divide(
                i64::try_from(bytes).unwrap_or(i64::MAX),
                whole(divisor).max(1),
            ))
        }
        (_, None) => Ok("0".to_owned()),
    }
}

fn milli(quantity: &str) -> i64 {
    quantity
        .parse::<Quantity>()
        .map(|q| q.milli_value())
        .unwrap_or_default()
}

fn whole(quantity: &str) -> i64 {
    quantity
        .parse::<Quantity>()
        .map(|q| q.value())
        .unwrap_or_default()
}

fn divide(value: i64, divisor: i64) -> String {
    (value / divisor + i64::from(value % divisor != 0)).to_string()
}
