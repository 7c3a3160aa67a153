//! The answer to a wish that touches other managers' fields.
//!
//! Upstream: apimachinery/pkg/util/managedfields/internal/conflict.go.

use super::managers::Entry;
use k8s::status::ApiError;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// 409, naming every field and its owner.
pub(super) fn error(owners: &[Entry]) -> ApiError {
    let mut by_manager: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for owner in owners {
        by_manager
            .entry(shown(owner))
            .or_default()
            .extend(owner.fields.paths());
    }
    let count: usize = by_manager.values().map(Vec::len).sum();
    let causes: Vec<Value> = by_manager
        .iter()
        .flat_map(|(manager, paths)| paths.iter().map(move |path| (manager, path)))
        .map(|(manager, path)| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {manager}"),
                "field": path,
            })
        })
        .collect();
    let message = match by_manager.iter().next() {
        Some((manager, paths)) if count == 1 => {
            format!(
                "Apply failed with 1 conflict: conflict with {manager}: {}",
                paths[0]
            )
        }
        _ => format!(
            "Apply failed with {count} conflicts: {}",
            listed(&by_manager)
        ),
    };
    ApiError {
        code: 409,
        reason: "Conflict",
        message,
        details: Some(json!({"causes": causes})),
    }
}

fn listed(by_manager: &BTreeMap<String, Vec<String>>) -> String {
    let mut lines = Vec::new();
    for (manager, paths) in by_manager {
        lines.push(format!("conflicts with {manager}:"));
        lines.extend(paths.iter().map(|path| format!("- {path}")));
    }
    lines.join("\n")
}

/// Upstream: printManager.
fn shown(owner: &Entry) -> String {
    let mut out = k8s::quote::quoted(&owner.manager);
    if !owner.subresource.is_empty() {
        out = format!(
            "{out} with subresource {}",
            k8s::quote::quoted(&owner.subresource)
        );
    }
    if owner.operation == "Update" {
        out = format!("{out} using {}", owner.api_version);
    }
    out
}
