//! The managers of an object: its `metadata.managedFields`.
//!
//! Upstream: apimachinery/pkg/util/managedfields/internal/managedfields.go.

use super::set::FieldSet;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// One manager, and the fields that it owns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: String,
    /// `Apply` or `Update`.
    pub(super) operation: String,
    pub(super) api_version: String,
    pub(super) subresource: String,
    pub(super) time: Option<Timestamp>,
    pub(super) fields: FieldSet,
}

impl Entry {
    /// Whether both are the same manager. Upstream: BuildManagerIdentifier: an applier is one whatever its version.
    fn is(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == "Apply" || self.api_version == other.api_version)
    }

    fn read(json: &Value) -> Option<Self> {
        let text = |field: &str| json.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("operation").is_empty() {
            return None;
        }
        Some(Self {
            manager: text("manager").to_owned(),
            operation: text("operation").to_owned(),
            api_version: text("apiVersion").to_owned(),
            subresource: text("subresource").to_owned(),
            time: text("time").parse().ok(),
            fields: FieldSet::from_json(&json["fieldsV1"]),
        })
    }

    fn write(&self) -> Value {
        let mut json = json!({
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_json(),
        });
        if let Some(time) = self.time {
            json["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        }
        if !self.subresource.is_empty() {
            json["subresource"] = self.subresource.as_str().into();
        }
        json
    }
}

/// Every manager of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Managers {
    entries: Vec<Entry>,
}

impl Managers {
    /// Whether the object says something of its managers.
    pub(super) fn is_given(object: &Value) -> bool {
        object
            .pointer("/metadata/managedFields")
            .is_some_and(Value::is_array)
    }

    pub(super) fn read(object: &Value) -> Self {
        let entries = object
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array);
        Self {
            entries: entries
                .into_iter()
                .flatten()
                .filter_map(Entry::read)
                .collect(),
        }
    }

    /// Writes the entries, in upstream's order: by operation, time, manager.
    pub(super) fn write(mut self, object: &mut Value) {
        self.entries.retain(|entry| !entry.fields.is_empty());
        self.entries.sort_by(|a, b| {
            let key = |e: &Entry| (e.operation.clone(), e.time, e.manager.clone());
            key(a).cmp(&key(b))
        });
        let Some(fields) = object.as_object_mut() else {
            return;
        };
        let meta = fields
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        let Some(meta) = meta.as_object_mut() else {
            return;
        };
        if self.entries.is_empty() {
            meta.remove("managedFields");
        } else {
            let entries = self.entries.iter().map(Entry::write).collect();
            meta.insert("managedFields".into(), Value::Array(entries));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn put(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Takes the manager's entry out.
    pub(super) fn take(&mut self, like: &Entry) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.is(like))?;
        Some(self.entries.remove(at))
    }

    /// All fields that someone owns.
    pub(super) fn all_fields(&self) -> FieldSet {
        let mut all = FieldSet::default();
        for entry in &self.entries {
            all.add(&entry.fields);
        }
        all
    }

    /// Who owns some of these fields, and which.
    pub(super) fn owners_of(&self, fields: &FieldSet) -> Vec<Entry> {
        let common = |entry: &Entry| Entry {
            fields: entry.fields.common(fields),
            ..entry.clone()
        };
        self.entries
            .iter()
            .map(common)
            .filter(|entry| !entry.fields.is_empty())
            .collect()
    }

    /// Nobody owns these fields any more.
    pub(super) fn disown(&mut self, fields: &FieldSet) {
        for entry in &mut self.entries {
            entry.fields.subtract(fields);
        }
    }

    /// Nobody but one manager owns these fields any more.
    pub(super) fn disown_except(&mut self, fields: &FieldSet, except: &Entry) {
        for entry in self.entries.iter_mut().filter(|entry| !entry.is(except)) {
            entry.fields.subtract(fields);
        }
    }
}
