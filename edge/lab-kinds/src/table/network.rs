//! Groups `networking.k8s.io` and `discovery.k8s.io`.

use super::{age, first_three, name, or, selector, services};
use crate::json::{at, has, int, items, text};
use jiff::Timestamp;
use serde_json::Value;

pub(super) fn cells(resource: &str, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    Some(match resource {
        "ingresses" => ingress(object, now),
        "ingressclasses" => ingress_class(object, now),
        "networkpolicies" => vec![
            name(object),
            selector(at(object, "spec.podSelector")).into(),
            age(object, now),
        ],
        "servicecidrs" => {
            let ranges: Vec<&str> = items(object, "spec.cidrs")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            vec![name(object), ranges.join(",").into(), age(object, now)]
        }
        "ipaddresses" => vec![name(object), parent(object).into(), age(object, now)],
        "endpointslices" => endpoint_slice(object, now),
        _ => return None,
    })
}

fn ingress(object: &Value, now: Timestamp) -> Vec<Value> {
    let tls = !items(object, "spec.tls").is_empty();
    vec![
        name(object),
        at(object, "spec.ingressClassName")
            .as_str()
            .unwrap_or("<none>")
            .into(),
        hosts(items(object, "spec.rules")).into(),
        services::balancer(object).into(),
        (if tls { "80, 443" } else { "80" }).into(),
        age(object, now),
    ]
}

/// Upstream: formatHosts, which counts rules where it says how many more hosts there are.
fn hosts(rules: &[Value]) -> String {
    const SHOWN: usize = 3;
    let mut list = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= list.len() == SHOWN;
        let host = text(rule, "host");
        if !more && !host.is_empty() {
            list.push(host);
        }
    }
    if list.is_empty() {
        "*".to_owned()
    } else if more {
        format!("{} + {} more...", list.join(","), rules.len() - SHOWN)
    } else {
        list.join(",")
    }
}

fn ingress_class(object: &Value, now: Timestamp) -> Vec<Value> {
    const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
    let is_default = at(object, "metadata.annotations")
        .get(DEFAULT)
        .and_then(Value::as_str)
        == Some("true");
    let mark = if is_default { " (default)" } else { "" };
    let parameters = at(object, "spec.parameters");
    let reference = if parameters.is_null() {
        "<none>".to_owned()
    } else {
        let group = at(parameters, "apiGroup").as_str();
        let group = group.map(|group| format!(".{group}")).unwrap_or_default();
        format!(
            "{}{group}/{}",
            text(parameters, "kind"),
            text(parameters, "name")
        )
    };
    vec![
        format!("{}{mark}", text(object, "metadata.name")).into(),
        text(object, "spec.controller").into(),
        reference.into(),
        age(object, now),
    ]
}

fn parent(object: &Value) -> String {
    if !has(object, "spec.parentRef") {
        return "<none>".to_owned();
    }
    let parent = at(object, "spec.parentRef");
    let (group, resource) = (text(parent, "group"), text(parent, "resource"));
    let qualified = match group {
        "" => resource.to_lowercase(),
        _ => format!("{resource}.{group}").to_lowercase(),
    };
    match text(parent, "namespace") {
        "" => format!("{qualified}/{}", text(parent, "name")),
        namespace => format!("{qualified}/{namespace}/{}", text(parent, "name")),
    }
}

fn endpoint_slice(object: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = items(object, "ports")
        .iter()
        .map(|port| {
            let number = int(port, "port").map(|number| number.to_string());
            number.unwrap_or_else(|| at(port, "name").as_str().unwrap_or("*").to_owned())
        })
        .collect();
    let addresses: Vec<String> = items(object, "endpoints")
        .iter()
        .flat_map(|endpoint| items(endpoint, "addresses"))
        .map(|address| address.as_str().unwrap_or_default().to_owned())
        .collect();
    vec![
        name(object),
        text(object, "addressType").into(),
        or(&first_three(&ports, ""), "<unset>").into(),
        first_three(&addresses, "<unset>").into(),
        age(object, now),
    ]
}
