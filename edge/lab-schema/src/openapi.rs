//! The OpenAPI documents that kubectl reads: for `explain`, for validation, and to learn which parameters a server has.
//!
//! Documents are made from k8s-openapi's schemas when asked for, and returned as bytes: the descriptions are megabytes
//! that an idle lab need not hold.

mod definitions;
mod paths;
mod protobuf;
#[cfg(test)]
mod tests;
mod v2;

pub use v2::{v2_json, v2_protobuf};

use crate::schema::{CrdSchema, KINDS};
use definitions::Form;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What clients accept when they want [`v2_protobuf`].
pub const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// The `Content-Type` of [`v2_protobuf`]: clients can't parse the other one, for its `@`.
pub const V2_PROTOBUF_CONTENT_TYPE: &str =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// What documents say of the server.
fn info(version: &str) -> Value {
    json!({"title": "Kubernetes", "version": version})
}

/// `/openapi/v3`: where the document of each group and version is.
pub fn v3_index(version: &str, crds: &[CrdSchema<'_>]) -> Vec<u8> {
    let built_in = KINDS.iter().map(|kind| (kind.group, kind.version));
    let custom = crds.iter().map(|crd| (crd.group, crd.version));
    let served: BTreeSet<(&str, &str)> = built_in.chain(custom).collect();
    let mut paths = Map::new();
    for (group, group_version) in served {
        let path = paths::prefix(group, group_version);
        let hash = v3_hash(version, group, group_version, crds);
        let url = json!({"serverRelativeURL": format!("/openapi/v3{path}?hash={hash}")});
        paths.insert(path.trim_start_matches('/').to_owned(), url);
    }
    bytes(&json!({"paths": paths}))
}

/// The `hash` parameter under which clients may keep a document for ever.
pub fn v3_hash(version: &str, group: &str, group_version: &str, crds: &[CrdSchema<'_>]) -> String {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), version, group, group_version).hash(&mut hasher);
    for crd in of(crds, group, group_version) {
        (crd.kind, crd.plural, crd.namespaced).hash(&mut hasher);
        crd.schema.hash(&mut hasher);
    }
    format!("{:016X}", hasher.finish())
}

fn of<'c>(
    crds: &'c [CrdSchema<'c>],
    group: &'c str,
    version: &'c str,
) -> impl Iterator<Item = &'c CrdSchema<'c>> {
    crds.iter()
        .filter(move |crd| crd.group == group && crd.version == version)
}

/// `/openapi/v3/apis/GROUP/VERSION`; none where the group and version are not known. `version` is the server's.
pub fn v3_document(
    version: &str,
    group: &str,
    group_version: &str,
    crds: &[CrdSchema<'_>],
) -> Option<Vec<u8>> {
    let kinds: Vec<_> = KINDS
        .iter()
        .filter(|k| k.group == group && k.version == group_version)
        .collect();
    let crds: Vec<CrdSchema<'_>> = of(crds, group, group_version).copied().collect();
    if kinds.is_empty() && crds.is_empty() {
        return None;
    }
    let schemas = definitions::all(Form::V3, &kinds, &crds);
    let paths = paths::all(Form::V3, &kinds, &crds);
    Some(bytes(&json!({
        "openapi": "3.0.0",
        "info": info(version),
        "paths": paths,
        "components": {"schemas": schemas},
    })))
}

/// Serializing a value cannot fail.
fn bytes(document: &Value) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}
