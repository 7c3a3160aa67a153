//! A snapshot as a file: what was looked at, and the `DecisionContext` that goes with it.

use crate::autoscaler;
use crate::context::Context;
use crate::documents::{Document, Documents};
use crate::error::Error;
use crate::snapshot::{Snapshot, says_something};
use serde::Serialize;
use serde_json::Value;

impl Snapshot {
    /// The snapshot as a YAML stream that reads back to the same decision. `documents` is what it was
    /// read from.
    pub fn save(&self, documents: &Documents) -> Result<String, Error> {
        let namespace = self
            .object
            .metadata
            .namespace
            .as_deref()
            .unwrap_or_default();
        let name = self.name();
        let kept = |document: &&Document| match document.kind() {
            crate::context::KIND => false,
            "HorizontalPodAutoscaler" => autoscaler::full_name(document) == name,
            kind => says_something(document.group(), kind) && document.is_in(namespace),
        };
        let mut text = String::new();
        for document in documents.list.iter().filter(kept) {
            write(&mut text, &document.value)?;
        }
        let context = Context::of(
            self.now,
            &self.spec,
            &self.history,
            self.unavailable.clone(),
            self.other_autoscalers.clone(),
        );
        let context = serde_json::to_value(context).map_err(|e| problem(&e.to_string()))?;
        write(&mut text, &context)?;
        Ok(text)
    }
}

fn write(text: &mut String, value: &Value) -> Result<(), Error> {
    text.push_str("---\n");
    text.push_str(&yaml(value)?);
    Ok(())
}

/// A value as one YAML document. Texts stay on their line: a message is then found by searching for it.
pub fn yaml(value: &impl Serialize) -> Result<String, Error> {
    let options = serde_saphyr::ser_options! {
        min_fold_chars: usize::MAX,
        prefer_block_scalars: false,
    };
    let text = serde_saphyr::to_string_with_options(value, options);
    let mut text = text.map_err(|e| problem(&e.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn problem(text: &str) -> Error {
    Error::of_file("", format!("cannot be written as YAML: {text}"))
}

#[cfg(test)]
mod tests;
