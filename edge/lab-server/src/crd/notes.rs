//! What this server does not do of what a definition asks for; sent as warnings.

use serde_json::Value;

/// Warnings for a definition.
pub(crate) fn notes(definition: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let versions = definition["spec"]["versions"].as_array();
    for (at, version) in versions.into_iter().flatten().enumerate() {
        let path = format!("spec.versions[{at}].schema.openAPIV3Schema");
        if let Some(path) = rules(&version["schema"]["openAPIV3Schema"], path) {
            notes.push(format!(
                "{path}.x-kubernetes-validations: rules in CEL are not evaluated by this server"
            ));
        }
    }
    if definition["spec"]["conversion"]["strategy"] == "Webhook" {
        notes.push(
            "spec.conversion.strategy: conversion webhooks are not called by this server; only apiVersion is changed"
                .to_owned(),
        );
    }
    notes
}

/// Where the first rules are.
fn rules(schema: &Value, path: String) -> Option<String> {
    if schema["x-kubernetes-validations"]
        .as_array()
        .is_some_and(|rules| !rules.is_empty())
    {
        return Some(path);
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let below = properties.map(|(name, schema)| (schema, format!("{path}.properties[{name}]")));
    let others = ["items", "additionalProperties"].into_iter();
    let others = others.map(|key| (&schema[key], format!("{path}.{key}")));
    below
        .chain(others.filter(|(schema, _)| schema.is_object()))
        .find_map(|(schema, path)| rules(schema, path))
}
