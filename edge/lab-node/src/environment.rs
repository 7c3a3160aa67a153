//! A container's environment: what its spec says, with references resolved and `$(VAR)` expanded.
//!
//! Upstream: makeEnvironmentVariables (pkg/kubelet/kubelet_pods.go), third_party/forked/golang/expansion.

mod fields;
mod services;

pub use fields::{field, resource};
pub use services::service_variables;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// ConfigMaps and Secrets that a pod refers to, by name; absent ones are not in the map.
#[derive(Debug, Clone, Default)]
pub struct References {
    /// ConfigMaps.
    pub config_maps: BTreeMap<String, ConfigMap>,
    /// Secrets.
    pub secrets: BTreeMap<String, Secret>,
}

/// What a container's variables may come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The pod, with its addresses in its status.
    pub pod: &'a Pod,
    /// What it refers to.
    pub references: &'a References,
    /// Variables that every container gets; the spec's come after and win.
    pub base: &'a BTreeMap<String, String>,
}

/// The variables, in the order that `$(VAR)` may use. The error is for a person: the container
/// cannot be configured.
pub fn environment(
    container: &Container,
    sources: Sources<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let mut result = sources.base.clone();
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &from.config_map_ref {
            let map = sources.references.config_maps.get(&reference.name);
            if map.is_none() && reference.optional != Some(true) {
                return Err(format!("configmap {:?} not found", reference.name));
            }
            for (key, value) in map.and_then(|m| m.data.as_ref()).into_iter().flatten() {
                result.insert(format!("{prefix}{key}"), value.clone());
            }
        }
        if let Some(reference) = &from.secret_ref {
            let secret = sources.references.secrets.get(&reference.name);
            if secret.is_none() && reference.optional != Some(true) {
                return Err(format!("secret {:?} not found", reference.name));
            }
            for (key, value) in secret.and_then(|s| s.data.as_ref()).into_iter().flatten() {
                let value = String::from_utf8_lossy(&value.0).into_owned();
                result.insert(format!("{prefix}{key}"), value);
            }
        }
    }
    for variable in container.env.iter().flatten() {
        if let Some(value) = value(variable, container, sources, &result)? {
            result.insert(variable.name.clone(), value);
        }
    }
    Ok(result)
}

fn value(
    variable: &EnvVar,
    container: &Container,
    sources: Sources<'_>,
    so_far: &BTreeMap<String, String>,
) -> Result<Option<String>, String> {
    match &variable.value_from {
        Some(from) => referenced(from, container, sources),
        None => Ok(Some(expand(
            variable.value.as_deref().unwrap_or_default(),
            so_far,
        ))),
    }
}

fn referenced(
    from: &EnvVarSource,
    container: &Container,
    sources: Sources<'_>,
) -> Result<Option<String>, String> {
    let namespace = sources
        .pod
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    if let Some(reference) = &from.field_ref {
        return field(sources.pod, &reference.field_path).map(Some);
    }
    if let Some(reference) = &from.resource_field_ref {
        return resource(sources.pod, Some(container), reference).map(Some);
    }
    if let Some(reference) = &from.config_map_key_ref {
        let optional = reference.optional == Some(true);
        let Some(map) = sources.references.config_maps.get(&reference.name) else {
            let missing = format!("configmap {:?} not found", reference.name);
            return if optional { Ok(None) } else { Err(missing) };
        };
        let found = map
            .data
            .as_ref()
            .and_then(|d| d.get(&reference.key))
            .cloned();
        let missing = || {
            format!(
                "couldn't find key {} in ConfigMap {namespace}/{}",
                reference.key, reference.name
            )
        };
        return if found.is_none() && !optional {
            Err(missing())
        } else {
            Ok(found)
        };
    }
    if let Some(reference) = &from.secret_key_ref {
        let optional = reference.optional == Some(true);
        let Some(secret) = sources.references.secrets.get(&reference.name) else {
            let missing = format!("secret {:?} not found", reference.name);
            return if optional { Ok(None) } else { Err(missing) };
        };
        let found = secret.data.as_ref().and_then(|d| d.get(&reference.key));
        let found = found.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
        let missing = || {
            format!(
                "couldn't find key {} in Secret {namespace}/{}",
                reference.key, reference.name
            )
        };
        return if found.is_none() && !optional {
            Err(missing())
        } else {
            Ok(found)
        };
    }
    Ok(Some(String::new()))
}

/// Expands `$(NAME)`; `$$(NAME)` is `$(NAME)`, and an unknown name stays as it is.
pub fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        let after = from.get(1..).unwrap_or_default();
        if let Some(escaped) = after.strip_prefix('$') {
            result.push('$');
            rest = escaped;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match variables.get(name) {
                Some(value) => result.push_str(value),
                None => result.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            result.push('$');
            rest = after;
        }
    }
    result.push_str(rest);
    result
}
