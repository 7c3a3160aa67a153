//! How lists and maps of built-in types merge: facts asked of a real API server's OpenAPI document.
//!
//! k8s-openapi's schemas leave these extensions out.

use super::{ListMerge, Strategy};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

const FACTS: &str = include_str!("../../data/merge-keys.jsonl");

/// One line of the facts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MergeFact {
    #[serde(rename = "type")]
    definition: &'static str,
    field: &'static str,
    pub(crate) list_type: Option<&'static str>,
    #[serde(default)]
    pub(crate) list_map_keys: Vec<&'static str>,
    pub(crate) map_type: Option<&'static str>,
    pub(crate) patch_strategy: Option<&'static str>,
    pub(crate) patch_merge_key: Option<&'static str>,
}

impl MergeFact {
    /// How strategic merge patch treats the field.
    pub(crate) fn strategy(&self) -> Strategy {
        let has = |word: &str| {
            self.patch_strategy
                .is_some_and(|s| s.split(',').any(|w| w == word))
        };
        Strategy {
            merge: has("merge"),
            replace: has("replace"),
            retain_keys: has("retainKeys"),
            merge_key: self.patch_merge_key.map(Arc::from),
        }
    }

    /// How server-side apply merges the list.
    pub(crate) fn list(&self) -> ListMerge {
        match self.list_type {
            Some("set") => ListMerge::Set,
            Some("map") => {
                ListMerge::Map(self.list_map_keys.iter().map(|k| Arc::from(*k)).collect())
            }
            _ => ListMerge::Atomic,
        }
    }
}

/// Facts by definition, then by field.
pub(crate) type MergeFacts = HashMap<&'static str, HashMap<&'static str, MergeFact>>;

/// Reads the facts; a line that does not parse is a fault of the file, and a test finds it.
pub(crate) fn facts() -> MergeFacts {
    let mut all = MergeFacts::new();
    for fact in FACTS
        .lines()
        .filter_map(|line| serde_json::from_str::<MergeFact>(line).ok())
    {
        all.entry(fact.definition)
            .or_default()
            .insert(fact.field, fact);
    }
    all
}
