//! The regular expressions of a schema, compiled once.

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use std::collections::HashMap;

/// What one compiled expression may take.
const SIZE: usize = 1 << 20;

/// Expressions by their text; those that this engine does not know are left out.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// All expressions of a schema.
    pub(super) fn of(schema: &Value) -> Self {
        let mut patterns = Self::default();
        patterns.collect(schema);
        patterns
    }

    fn collect(&mut self, schema: &Value) {
        match schema {
            Value::Object(fields) => {
                if let Some(text) = fields.get("pattern").and_then(Value::as_str) {
                    self.add(text);
                }
                fields.values().for_each(|value| self.collect(value));
            }
            Value::Array(items) => items.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if self.0.contains_key(text) {
            return;
        }
        match RegexBuilder::new(text).size_limit(SIZE).build() {
            Ok(regex) => {
                self.0.insert(text.to_owned(), regex);
            }
            Err(error) => {
                tracing::warn!(%error, pattern = text, "a schema's pattern is not checked");
            }
        }
    }

    /// Whether a text matches; one that cannot be checked does.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.0.get(pattern).is_none_or(|regex| regex.is_match(text))
    }
}
