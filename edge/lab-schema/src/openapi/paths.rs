//! The paths of a document: which kind each belongs to, and which parameters a change takes.
//!
//! kubectl finds a resource's kind by its paths (`explain`), and learns from the PATCH operation's parameters that the
//! server validates fields and does dry runs (cli-runtime's query_param_verifier_v3.go).

use super::definitions::Form;
use crate::schema::{CrdSchema, RootKind};
use serde_json::{Map, Value, json};

/// What a document says of one resource.
#[derive(Clone, Copy)]
struct Place<'p> {
    group: &'p str,
    version: &'p str,
    kind: &'p str,
    plural: &'p str,
    namespaced: bool,
    listed: bool,
}

/// `/api/v1` or `/apis/GROUP/VERSION`.
pub(super) fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

/// The paths of all kinds.
pub(super) fn all(form: Form, kinds: &[&RootKind], crds: &[CrdSchema<'_>]) -> Map<String, Value> {
    let built_in = kinds
        .iter()
        .filter(|k| !k.plural.contains('/'))
        .map(|k| Place {
            group: k.group,
            version: k.version,
            kind: k.kind,
            plural: k.plural,
            namespaced: k.namespaced,
            listed: k.listed,
        });
    let custom = crds.iter().map(|c| Place {
        group: c.group,
        version: c.version,
        kind: c.kind,
        plural: c.plural,
        namespaced: c.namespaced,
        listed: true,
    });
    let mut paths = Map::new();
    for place in built_in.chain(custom).filter(|p| !p.plural.is_empty()) {
        add(form, &mut paths, place);
    }
    paths
}

fn add(form: Form, paths: &mut Map<String, Value>, place: Place<'_>) {
    let prefix = prefix(place.group, place.version);
    let namespace = if place.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("{prefix}{namespace}/{}", place.plural);
    let operation = |action, parameters| operation(form, place, action, parameters);
    let mut many = json!({"post": operation("post", CHANGE)});
    if place.listed {
        many["get"] = operation("list", &[]);
        paths.insert(
            format!("{collection}/{{name}}"),
            json!({
                "get": operation("get", &[]),
                "put": operation("put", CHANGE),
                "patch": operation("patch", PATCH),
                "delete": operation("delete", &["dryRun"]),
            }),
        );
    }
    paths.insert(collection, many);
}

/// Parameters of a create or update.
const CHANGE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
/// Parameters of a patch.
const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

fn operation(form: Form, place: Place<'_>, action: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| parameter(form, name))
        .collect();
    json!({
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind":
            {"group": place.group, "kind": place.kind, "version": place.version},
    })
}

fn parameter(form: Form, name: &str) -> Value {
    let of = if name == "force" { "boolean" } else { "string" };
    match form {
        Form::V2 => json!({"name": name, "in": "query", "type": of, "uniqueItems": true}),
        Form::V3 => {
            json!({"name": name, "in": "query", "schema": {"type": of, "uniqueItems": true}})
        }
    }
}
