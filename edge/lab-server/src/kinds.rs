//! What is particular to a kind: defaults, validation, columns, fields, versions, patches.
//!
//! The one place where built-in kinds and custom resources part ways.

use crate::registry::Served;
use crate::stored::Stored;
use jiff::Timestamp;
use k8s::features::Gates;
use k8s::status::{ApiError, FieldError};
use lab_kinds::{fields, strategy, table, versions};
use lab_schema::fields::{Patched, Validation};
use lab_schema::{Schema, TypeRef, patch};
use serde_json::{Value, json};

impl Served {
    /// Whether a stored object is in another version than this resource's.
    pub(crate) fn converts(&self, stored: &Stored) -> bool {
        if let Some(custom) = &self.custom {
            return custom.converts(&self.api_version(), stored);
        }
        self.storage.api_version() != self.api_version()
    }
}

/// The type of a resource's objects, as clients of its version see them.
pub(crate) fn schema(resource: &Served) -> Option<TypeRef<'_>> {
    if let Some(custom) = &resource.custom {
        return custom.root(resource);
    }
    Schema::builtin().root(&resource.group, &resource.version, &resource.kind)
}

/// An object of any version in this resource's version.
pub(crate) fn to_version(resource: &Served, value: Value) -> Result<Value, ApiError> {
    convert(resource, &resource.api_version(), value)
}

/// An object of this resource's version in the version that is stored.
pub(crate) fn to_storage(resource: &Served, value: Value) -> Result<Value, ApiError> {
    convert(resource, &resource.storage.api_version(), value)
}

fn convert(resource: &Served, to: &str, mut value: Value) -> Result<Value, ApiError> {
    if let Some(custom) = &resource.custom {
        custom.renew(resource, to, &mut value);
        return Ok(value);
    }
    let from = value["apiVersion"].as_str().unwrap_or("");
    if from == to || from.is_empty() {
        return Ok(value);
    }
    let from = from.to_owned();
    versions::convert(&from, to, &resource.kind, value)
}

/// The columns of a table of this resource.
pub(crate) fn columns(resource: &Served) -> Vec<Value> {
    let columns = match &resource.custom {
        Some(custom) => custom.table.columns(),
        None => table::columns(resource),
    };
    let columns = columns.iter();
    let column = |column: &table::Column| {
        json!({
            "name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority,
        })
    };
    columns.map(column).collect()
}

/// One row: the cells of an object in this resource's version, without the object itself.
pub(crate) fn row(resource: &Served, value: &Value, now: Timestamp) -> Value {
    if let Some(custom) = &resource.custom {
        return json!({"cells": custom.table.cells(value, now)});
    }
    let mut row = json!({"cells": table::cells(resource, value, now)});
    if let Some(conditions) = table::row_conditions(resource, value) {
        row["conditions"] = conditions;
    }
    row
}

/// Checks the fields of a body of this resource's version and brings it to the form that Go
/// would keep; returns warnings. `raw` is the body, where it was JSON.
pub(crate) fn check_fields(
    resource: &Served,
    raw: Option<&[u8]>,
    validation: Validation,
    object: &mut Value,
) -> Result<Vec<String>, ApiError> {
    let mut warnings = match schema(resource) {
        Some(of) => lab_schema::fields::check(of, raw, validation, object)?,
        None => Vec::new(),
    };
    if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        warnings.extend(crate::crd::notes(object));
    }
    Ok(warnings)
}

/// How a patch is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own.
    Strategic,
}

/// Applies a patch to an object of this resource's version; returns it with warnings.
pub(crate) fn patched(
    resource: &Served,
    kind: PatchKind,
    validation: Validation,
    (object, patch): (&Value, &Value),
) -> Result<(Value, Vec<String>), ApiError> {
    let of = schema(resource);
    let (mut new, how) = match kind {
        PatchKind::Json => (patch::json_patch(object, patch)?, Patched::Json),
        PatchKind::Merge => (patch::merge_patch(object, patch)?, Patched::Json),
        PatchKind::Strategic => {
            let of = of.filter(|_| resource.custom.is_none());
            let of = of.ok_or_else(patch::strategic_unsupported)?;
            (
                patch::strategic_merge(of, object, patch)?,
                Patched::Strategic(patch),
            )
        }
    };
    let warnings = match of {
        Some(of) => lab_schema::fields::check_patched(of, how, validation, &mut new)?,
        None => Vec::new(),
    };
    Ok((new, warnings))
}

/// Fills in what a client may leave out; the object is in the stored version, as below.
pub(crate) fn default(resource: &Served, value: &mut Value) {
    if let Some(custom) = &resource.custom {
        return custom.default(value);
    }
    let storage = &resource.storage;
    strategy::default(&storage.group, &storage.version, &storage.kind, value);
}

/// Resets what a client may not set on create.
pub(crate) fn prepare_create(gates: Gates, resource: &Served, value: &mut Value) {
    strategy::prepare_create(&resource.storage, value);
    strategy::drop_disabled(gates, &resource.storage, None, value);
}

/// Keeps what an update may not change.
pub(crate) fn prepare_update(
    gates: Gates,
    resource: &Served,
    subresource: Option<&str>,
    old: &Value,
    new: &mut Value,
) {
    strategy::prepare_update(&resource.storage, subresource, old, new);
    strategy::drop_disabled(gates, &resource.storage, Some(old), new);
}

/// What is wrong with a new object.
pub(crate) fn validate_create(gates: Gates, resource: &Served, value: &Value) -> Vec<FieldError> {
    let mut errors = strategy::validate_create(gates, &resource.storage, value);
    if let Some(custom) = &resource.custom {
        errors.extend(custom.validate(None, value));
    }
    errors
}

/// What is wrong with a change.
pub(crate) fn validate_update(
    gates: Gates,
    resource: &Served,
    subresource: Option<&str>,
    old: &Value,
    new: &Value,
) -> Vec<FieldError> {
    let mut errors = strategy::validate_update(gates, &resource.storage, subresource, old, new);
    if let Some(custom) = &resource.custom {
        errors.extend(custom.validate(Some(old), new));
    }
    errors
}

/// Leaves out what Go's `omitempty` leaves out, so that an object reads back as it does there.
pub(crate) fn finish(resource: &Served, value: &mut Value) {
    let storage = &resource.storage;
    if let Some(of) = Schema::builtin().root(&storage.group, &storage.version, &storage.kind) {
        lab_schema::fields::drop_empty(of, value);
    }
}

/// Whether a selector may name a field; the error is upstream's sentence.
pub(crate) fn check_field(resource: &Served, field: &str) -> Result<(), String> {
    let selectable = resource.custom.as_ref().is_some_and(|custom| {
        fields::custom_value(&custom.selectable, &Value::Null, field).is_some()
    });
    if selectable {
        return Ok(());
    }
    fields::check(resource, field)
}

/// The value of a selectable field.
pub(crate) fn field(resource: &Served, stored: &Stored, field: &str) -> Option<String> {
    let value = to_version(resource, stored.value()).ok()?;
    if let Some(custom) = &resource.custom {
        return fields::custom_value(&custom.selectable, &value, field);
    }
    fields::value(resource, &value, field)
}
