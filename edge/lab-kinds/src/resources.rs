//! The built-in resources, as discovery of a Kubernetes 1.36 API server lists them.
//!
//! The table is `data/resources.jsonl`, asked of a real server; its order is the order in which
//! `/apis` lists groups (upstream: pkg/controlplane/apiserver/aggregator.go, API group priorities)
//! and, within a group, versions from most to least preferred.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

static DATA: &str = include_str!("../data/resources.jsonl");

/// One resource in one version. Custom resources are described by the same type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// Version in the group, such as `v1`.
    pub version: String,
    /// Plural, lower-case name, as in the path.
    pub resource: String,
    /// The kind of its objects.
    pub kind: String,
    /// Whether objects live in namespaces.
    #[serde(rename = "scope", deserialize_with = "namespaced")]
    pub namespaced: bool,
    /// Singular name; discovery prints it.
    pub singular: String,
    /// Short names, such as `po`.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Verbs in alphabetical order, as discovery prints them.
    pub verbs: Vec<String>,
    /// Subresources in alphabetical order.
    pub subresources: Vec<Subresource>,
}

/// A subresource: `pods/log`, `deployments/scale`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subresource {
    /// Name after the slash.
    pub name: String,
    /// Kind that is read or written there.
    pub kind: String,
    /// Group of that kind where it differs from the resource's, else empty.
    pub group: String,
    /// Version of that kind where its group differs, else empty.
    pub version: String,
    /// Verbs.
    pub verbs: Vec<String>,
}

impl Resource {
    /// `apiVersion` of its objects: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Kind of its list objects.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// Whether discovery lists the verb.
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }

    /// The subresource of that name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|s| s.name == name)
    }

    /// Whether this is the built-in resource of that group and name, in whatever version.
    pub fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource
    }
}

static ALL: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    DATA.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
});

/// Every built-in resource, in discovery's order.
pub fn all() -> &'static [Resource] {
    &ALL
}

/// The resource of that group, version and plural name.
pub fn find(group: &str, version: &str, resource: &str) -> Option<&'static Resource> {
    all()
        .iter()
        .find(|r| r.resource == resource && r.version == version && r.group == group)
}

/// The resource whose objects have that kind.
pub fn find_kind(group: &str, version: &str, kind: &str) -> Option<&'static Resource> {
    all()
        .iter()
        .find(|r| r.kind == kind && r.version == version && r.group == group)
}

/// The group's name and its versions, most preferred first; groups in discovery's order, the core
/// group (an empty name) first.
pub fn groups() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for r in all() {
        match groups.iter_mut().find(|(group, _)| *group == r.group) {
            Some((_, versions)) if versions.contains(&r.version.as_str()) => {}
            Some((_, versions)) => versions.push(&r.version),
            None => groups.push((&r.group, vec![&r.version])),
        }
    }
    groups
}

/// Resources of one group and version, in discovery's order.
pub fn of_version(group: &str, version: &str) -> impl Iterator<Item = &'static Resource> {
    all()
        .iter()
        .filter(move |r| r.group == group && r.version == version)
}

/// Splits `apiVersion` into group and version; the core group is empty.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn namespaced<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(from)? == "Namespaced")
}
