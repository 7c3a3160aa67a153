//! What is served: /api, /apis and the lists of resources, each as single documents and aggregated.
//!
//! Upstream: apiserver/pkg/endpoints/discovery.

use crate::aggregate;
use crate::body::{self, Reply};
use crate::negotiate::accepted;
use crate::registry::{Registry, Served};
use crate::server::Inner;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers a discovery path; `None` for other paths.
pub(crate) fn answer(inner: &Inner, path: &str, headers: &HeaderMap) -> Option<Reply> {
    let registry = inner.registry();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let document = match parts.as_slice() {
        [root @ ("api" | "apis")] => return Some(root_document(inner, &registry, root, headers)),
        ["api", version] => resource_list(&registry, "", version)?,
        ["apis", name] => {
            let known = registry.groups().iter().find(|(group, _)| group == name)?;
            let mut group = group(known);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["apis", group, version] if !group.is_empty() => resource_list(&registry, group, version)?,
        _ => return None,
    };
    Some(Ok(body::json(StatusCode::OK, &document)))
}

fn root_document(inner: &Inner, registry: &Registry, root: &str, headers: &HeaderMap) -> Reply {
    for entry in accepted(headers)? {
        if entry.param("as") != "APIGroupDiscoveryList" {
            break;
        }
        let version = match (entry.param("g"), entry.param("v")) {
            ("apidiscovery.k8s.io", "v2") => "v2",
            ("apidiscovery.k8s.io", "v2beta1") => "v2beta1",
            _ => continue,
        };
        let mut reply = body::json(StatusCode::OK, &aggregated(inner, registry, root, version));
        let kind =
            format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            reply.headers_mut().insert(CONTENT_TYPE, kind);
        }
        return Ok(reply);
    }
    let document = if root == "api" {
        json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                {"clientCIDR": "0.0.0.0/0", "serverAddress": inner.address.to_string()},
            ],
        })
    } else {
        let named = registry
            .groups()
            .iter()
            .filter(|(name, _)| !name.is_empty());
        let groups: Vec<Value> = named.map(group).collect();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    };
    Ok(body::json(StatusCode::OK, &document))
}

fn group((name, versions): &(String, Vec<String>)) -> Value {
    let version = |v: &String| json!({"groupVersion": format!("{name}/{v}"), "version": v});
    let versions: Vec<Value> = versions.iter().map(version).collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for served in registry.of(group, version) {
        resources.push(resource(served));
        resources.extend(served.subresources.iter().map(|sub| {
            let mut entry = json!({
                "name": format!("{}/{}", served.resource, sub.name), "singularName": "",
                "namespaced": served.namespaced, "kind": sub.kind, "verbs": sub.verbs,
            });
            if !sub.version.is_empty() {
                entry["group"] = sub.group.as_str().into();
                entry["version"] = sub.version.as_str().into();
            }
            entry
        }));
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    (!resources.is_empty()).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
    })
}

fn resource(served: &Served) -> Value {
    let mut entry = json!({
        "name": served.resource, "singularName": served.singular, "namespaced": served.namespaced,
        "kind": served.kind, "verbs": served.verbs,
    });
    if !served.short_names.is_empty() {
        entry["shortNames"] = json!(served.short_names);
    }
    if !served.categories.is_empty() {
        entry["categories"] = json!(served.categories);
    }
    entry
}

fn aggregated(inner: &Inner, registry: &Registry, root: &str, list_version: &str) -> Value {
    let wanted = |name: &&(String, Vec<String>)| name.0.is_empty() == (root == "api");
    let groups: Vec<Value> = registry
        .groups()
        .iter()
        .filter(wanted)
        .map(|(name, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| {
                    if let Some(remote) = registry.remote(name, version) {
                        return aggregate::entry(inner, remote);
                    }
                    let resources: Vec<Value> = registry
                        .of(name, version)
                        .map(aggregated_resource)
                        .collect();
                    json!({"version": version, "freshness": "Current", "resources": resources})
                })
                .collect();
            let metadata = if name.is_empty() {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": name, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "metadata": {}, "items": groups,
        "apiVersion": format!("apidiscovery.k8s.io/{list_version}"),
    })
}

fn aggregated_resource(served: &Arc<Served>) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut entry = json!({
        "resource": served.resource,
        "responseKind": kind(&served.group, &served.version, &served.kind),
        "scope": if served.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": served.singular,
        "verbs": served.verbs,
    });
    if !served.short_names.is_empty() {
        entry["shortNames"] = json!(served.short_names);
    }
    if !served.categories.is_empty() {
        entry["categories"] = json!(served.categories);
    }
    let subresources: Vec<Value> = served
        .subresources
        .iter()
        .map(|sub| {
            let response = if sub.version.is_empty() {
                kind(&served.group, &served.version, &sub.kind)
            } else {
                kind(&sub.group, &sub.version, &sub.kind)
            };
            json!({"subresource": sub.name, "responseKind": response, "verbs": sub.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}
