//! Sets of fields, in the form in which `managedFields` holds them.
//!
//! Upstream: structured-merge-diff/fieldpath (set.go, serialize.go).

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

#[cfg(test)]
mod tests;

/// A set of paths. Steps are written as `fieldsV1` has them: `f:name`, `k:{"name":"a"}`, `v:"x"`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    parts: BTreeMap<String, Node>,
}

/// What is in a set below one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    /// The path that ends here is in the set.
    member: bool,
    below: FieldSet,
}

/// How deep a set that a client gives may nest.
const MAX_DEPTH: usize = 100;

impl FieldSet {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads `fieldsV1`.
    pub fn from_json(json: &Value) -> Self {
        Self::read(json, MAX_DEPTH)
    }

    fn read(json: &Value, depth: usize) -> Self {
        let mut parts = BTreeMap::new();
        if depth == 0 {
            return Self { parts };
        }
        for (step, inner) in json
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(s, _)| *s != ".")
        {
            let below = Self::read(inner, depth - 1);
            let member = inner.get(".").is_some() || below.is_empty();
            parts.insert(step.clone(), Node { member, below });
        }
        Self { parts }
    }

    /// Writes `fieldsV1`.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        for (step, node) in &self.parts {
            let mut inner = node.below.to_json();
            if node.member && !node.below.is_empty() {
                inner["."] = Value::Object(Map::new());
            }
            json.insert(step.clone(), inner);
        }
        Value::Object(json)
    }

    /// What is below a step; none if no path goes there.
    pub(super) fn below(&self, step: &str) -> Option<&Self> {
        self.parts.get(step).map(|node| &node.below)
    }

    /// Adds the path of one step.
    pub(super) fn insert(&mut self, step: String) {
        self.parts.entry(step).or_default().member = true;
    }

    /// Adds the paths of `set`, each behind one step.
    pub(super) fn insert_below(&mut self, step: String, set: Self) {
        if !set.is_empty() {
            self.parts.entry(step).or_default().below.add(&set);
        }
    }

    /// Adds every path of the other set.
    pub(super) fn add(&mut self, other: &Self) {
        for (step, theirs) in &other.parts {
            let ours = self.parts.entry(step.clone()).or_default();
            ours.member |= theirs.member;
            ours.below.add(&theirs.below);
        }
    }

    /// Removes every path of the other set.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.parts.retain(|step, ours| {
            if let Some(theirs) = other.parts.get(step) {
                ours.member &= !theirs.member;
                ours.below.subtract(&theirs.below);
            }
            ours.member || !ours.below.is_empty()
        });
    }

    /// The paths in both sets.
    pub(super) fn common(&self, other: &Self) -> Self {
        let mut parts = BTreeMap::new();
        for (step, ours) in &self.parts {
            let Some(theirs) = other.parts.get(step) else {
                continue;
            };
            let node = Node {
                member: ours.member && theirs.member,
                below: ours.below.common(&theirs.below),
            };
            if node.member || !node.below.is_empty() {
                parts.insert(step.clone(), node);
            }
        }
        Self { parts }
    }

    /// Removes a path of field names, and all that is below it.
    pub(super) fn remove_path(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let step = format!("f:{first}");
        if rest.is_empty() {
            self.parts.remove(&step);
        } else if let Some(node) = self.parts.get_mut(&step) {
            node.below.remove_path(rest);
            if node.below.is_empty() {
                self.parts.remove(&step);
            }
        }
    }

    /// Every path, as error texts show it: `.spec.containers[name="a"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, prefix: &str, out: &mut Vec<String>) {
        for (step, node) in &self.parts {
            let path = format!("{prefix}{}", shown(step));
            if node.member {
                out.push(path.clone());
            }
            node.below.collect(&path, out);
        }
    }
}

/// Upstream: PathElement.String.
pub(super) fn shown(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("k", keys)) => {
            let keys: Value = serde_json::from_str(keys).unwrap_or_default();
            let mut out = String::from("[");
            for (i, (key, value)) in keys.as_object().into_iter().flatten().enumerate() {
                let comma = if i > 0 { "," } else { "" };
                let _ = write!(out, "{comma}{key}={value}");
            }
            out.push(']');
            out
        }
        Some((_, index)) => format!("[{index}]"),
        None => step.to_owned(),
    }
}
