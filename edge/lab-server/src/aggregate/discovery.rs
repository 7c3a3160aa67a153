//! What backends say they serve, in the form of aggregated discovery.
//!
//! Upstream: kube-aggregator/pkg/apiserver/handler_discovery.go, apiserver/pkg/endpoints
//! (ConvertGroupVersionIntoToDiscovery).

use super::Remote;
use crate::server::Inner;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a backend last said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Discovered {
    /// The APIService it was said for.
    pub(super) uid: String,
    /// Its resources as `apidiscovery.k8s.io/v2` has them; `None` if it never answered.
    pub(super) resources: Option<Value>,
    /// Where its OpenAPI document is, with its hash.
    pub(super) openapi: Option<String>,
    /// Whether it still answers.
    pub(super) fresh: bool,
}

/// The version of a backend in aggregated discovery.
pub(crate) fn entry(inner: &Inner, remote: &Remote) -> Value {
    let found = inner.aggregator.discovered(&remote.name);
    let found = found.filter(|found| found.uid == remote.uid);
    let fresh = found.as_ref().is_some_and(|found| found.fresh);
    let freshness = if fresh { "Current" } else { "Stale" };
    let mut entry = json!({"version": remote.version});
    if let Some(resources) = found.as_ref().and_then(|found| found.resources.clone()) {
        entry["resources"] = resources;
    }
    entry["freshness"] = freshness.into();
    entry
}

/// Notes that a backend answered.
pub(super) fn answered(inner: &Inner, remote: &Remote, document: &[u8], openapi: Option<String>) {
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    let found = Discovered {
        uid: remote.uid.clone(),
        resources: convert(&document),
        openapi,
        fresh: true,
    };
    inner.aggregator.change_discovered(|all| {
        all.insert(remote.name.clone(), Arc::new(found));
    });
}

/// Notes that a backend does not answer; what it said is still shown.
pub(super) fn silent(inner: &Inner, remote: &Remote) {
    inner.aggregator.change_discovered(|all| {
        if let Some(found) = all.get_mut(&remote.name).filter(|found| found.fresh) {
            let stale = Discovered {
                fresh: false,
                ..Discovered::clone(found)
            };
            *found = Arc::new(stale);
        }
    });
}

/// Turns an `APIResourceList` into a list of `APIResourceDiscovery`.
pub(super) fn convert(document: &Value) -> Option<Value> {
    let list = document["resources"].as_array()?;
    let group_version = document["groupVersion"].as_str().unwrap_or("");
    let (group, version) = lab_kinds::resources::split_api_version(group_version);
    let (below, top): (Vec<&Value>, Vec<&Value>) = list
        .iter()
        .partition(|one| one["name"].as_str().unwrap_or("").contains('/'));
    let mut converted: Vec<Value> = top
        .into_iter()
        .map(|one| resource(one, (group, version)))
        .collect();
    for one in below {
        let name = one["name"].as_str().unwrap_or("");
        let Some((parent, sub)) = name.split_once('/') else {
            continue;
        };
        let entry = json!({
            "subresource": sub, "responseKind": kind(one, (group, version)),
            "verbs": one["verbs"],
        });
        let at = converted.iter_mut().find(|one| one["resource"] == parent);
        if let Some(at) = at {
            match at["subresources"].as_array_mut() {
                Some(list) => list.push(entry),
                None => at["subresources"] = json!([entry]),
            }
        }
    }
    Some(converted.into())
}

fn kind(one: &Value, (group, version): (&str, &str)) -> Value {
    let or = |key: &str, default: &str| match one[key].as_str() {
        None | Some("") => default.to_owned(),
        Some(given) => given.to_owned(),
    };
    json!({"group": or("group", group), "version": or("version", version), "kind": one["kind"]})
}

fn resource(one: &Value, group_version: (&str, &str)) -> Value {
    let scope = if one["namespaced"] == true {
        "Namespaced"
    } else {
        "Cluster"
    };
    let mut entry = json!({
        "resource": one["name"], "responseKind": kind(one, group_version), "scope": scope,
        "singularResource": one["singularName"].as_str().unwrap_or(""), "verbs": one["verbs"],
    });
    for key in ["shortNames", "categories"] {
        if one[key].is_array() {
            entry[key] = one[key].clone();
        }
    }
    entry
}
