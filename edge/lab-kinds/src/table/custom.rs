//! Tables of custom resources: name, and the columns that the definition adds.
//!
//! Upstream: apiextensions-apiserver pkg/registry/customresource/tableconvertor (v1.36).

mod path;

use super::{Column, column};
use crate::json::{at, items, text};
use jiff::Timestamp;
use path::Path;
use serde_json::{Value, json};

/// The table of one version of a definition.
#[derive(Debug, Clone)]
pub struct CustomTable {
    columns: Vec<Column>,
    paths: Vec<Path>,
}

impl CustomTable {
    /// Reads `spec.versions[i].additionalPrinterColumns`; without any there is the age.
    pub fn of_version(version: &Value) -> Self {
        let age =
            [json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})];
        let given = items(version, "additionalPrinterColumns");
        let mut table = Self {
            columns: vec![column("Name", "string", "name")],
            paths: Vec::new(),
        };
        for definition in if given.is_empty() { &age } else { given } {
            let json_path = text(definition, "jsonPath");
            let description = match text(definition, "description") {
                "" => {
                    format!("Custom resource definition column (in JSONPath format): {json_path}")
                }
                description => description.to_owned(),
            };
            table.columns.push(Column {
                name: text(definition, "name").to_owned(),
                kind: text(definition, "type").to_owned(),
                format: text(definition, "format").to_owned(),
                description,
                priority: at(definition, "priority")
                    .as_i64()
                    .and_then(|priority| priority.try_into().ok())
                    .unwrap_or_default(),
            });
            table.paths.push(Path::parse(json_path));
        }
        table
    }

    /// The columns, the name first.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cells of an object.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let added = self
            .columns
            .iter()
            .skip(1)
            .zip(&self.paths)
            .map(|(column, path)| {
                path.first(object)
                    .map_or(Value::Null, |found| cell(&column.kind, found, now))
            });
        std::iter::once(super::name(object)).chain(added).collect()
    }
}

fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", Value::String(text)) => text.as_str().into(),
        ("string", other) => other.to_string().into(),
        ("integer", Value::Number(number)) => {
            let whole = number
                .as_i64()
                .or_else(|| number.as_f64().map(|float| float as i64));
            whole.map_or(Value::Null, Value::from)
        }
        ("number", Value::Number(number)) => number.clone().into(),
        ("boolean", Value::Bool(flag)) => (*flag).into(),
        ("date", Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(then) => super::since(then, now).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Value::Null,
    }
}
