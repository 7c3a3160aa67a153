//! Server-side apply: who owns which field, and what a manager's wish makes of an object.
//!
//! Upstream: structured-merge-diff (merge/update.go) and apimachinery/pkg/util/managedfields (v1.36).
//! Differs from upstream: ownership is recorded only from an object's first server-side apply on, so that objects of
//! people who never use it stay small; what was there before belongs to `before-first-apply`, as upstream has it.

mod conflict;
mod keys;
mod managers;
mod merge;
mod set;
#[cfg(test)]
mod tests;

pub use set::FieldSet;

use crate::{TypeRef, fields};
use jiff::Timestamp;
use k8s::status::ApiError;
use managers::{Entry, Managers};
use serde_json::{Value, json};

/// Whose fields those are that an object had before its first apply. Upstream: skipNonAppliedManager.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Upstream: stripMeta.go: fields that nobody owns.
const UNOWNED: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Who changes an object, and how.
#[derive(Debug, Clone, Copy)]
pub struct Change<'c> {
    /// The object's type.
    pub of: TypeRef<'c>,
    /// The version that the request speaks: `apps/v1`.
    pub api_version: &'c str,
    /// The `fieldManager` parameter, or the first word of the user agent.
    pub manager: &'c str,
    /// `status`, `scale`, or empty.
    pub subresource: &'c str,
    /// The time of the request.
    pub now: Timestamp,
}

impl Change<'_> {
    fn entry(&self, operation: &'static str) -> Entry {
        Entry {
            manager: self.manager.to_owned(),
            operation: operation.to_owned(),
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            time: Some(self.now),
            fields: FieldSet::default(),
        }
    }

    /// Takes away what nobody owns, and what the endpoint does not change. Upstream: GetResetFields of most resources.
    fn strip(&self, set: &mut FieldSet) {
        for path in UNOWNED {
            set.remove_path(path);
        }
        match self.subresource {
            "" => set.remove_path(&["status"]),
            "status" => set.remove_path(&["spec"]),
            _ => {}
        }
    }
}

/// Applies a manager's wish; makes the object if there is none. Defaults and validation are still to come.
pub fn apply(
    change: &Change<'_>,
    live: Option<&Value>,
    config: &Value,
    force: bool,
) -> Result<Value, ApiError> {
    let config = prepare(change, live, config)?;
    let empty = json!({});
    let before = live.unwrap_or(&empty);
    let mut managers = Managers::read(before);
    if managers.is_empty() && live.is_some() {
        let owner = Change {
            manager: BEFORE_FIRST_APPLY,
            subresource: "",
            ..*change
        };
        let mut entry = owner.entry("Update");
        entry.fields = merge::field_set(change.of, before);
        for path in UNOWNED {
            entry.fields.remove_path(path);
        }
        managers.put(entry);
    }
    let mut own = change.entry("Apply");
    let wanted = merge::field_set(change.of, &config);
    let last = managers.take(&own);
    let mut object = merge::merge(change.of, before, &config);
    if let Some(last) = &last {
        let mut kept = managers.all_fields();
        kept.add(&wanted);
        merge::prune(change.of, &mut object, &last.fields, &kept);
    }
    let difference = merge::compare(change.of, before, &object);
    let conflicts = managers.owners_of(&difference.changed);
    if !conflicts.is_empty() && !force {
        return Err(conflict::error(&conflicts));
    }
    managers.disown(&difference.changed);
    managers.disown(&difference.removed);
    own.fields = wanted;
    change.strip(&mut own.fields);
    if let Some(last) = last
        && last.fields == own.fields
        && difference.is_empty()
    {
        own.time = last.time;
    }
    managers.put(own);
    managers.write(&mut object);
    Ok(object)
}

/// Checks the wish, and leaves out what this endpoint does not change.
fn prepare(change: &Change<'_>, live: Option<&Value>, config: &Value) -> Result<Value, ApiError> {
    if config
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    let mut config = config.clone();
    let decoded = fields::decode(change.of, &mut config);
    let problem = match decoded {
        Ok(decoded) if decoded.unknown.is_empty() => keys::check(change.of, &config),
        Ok(decoded) => Err(decoded
            .unknown
            .iter()
            .map(|text| undeclared(text))
            .collect::<Vec<_>>()
            .join("\n")),
        Err(text) => Err(text),
    };
    if let Err(problem) = problem {
        return Err(untyped(&config, &problem));
    }
    if let Some(fields) = config.as_object_mut() {
        match change.subresource {
            "" => drop(fields.remove("status")),
            "status" => drop(fields.remove("spec")),
            _ => {}
        }
        if live.is_some()
            && let Some(meta) = fields.get_mut("metadata").and_then(Value::as_object_mut)
        {
            for field in ["creationTimestamp", "generation", "selfLink"] {
                meta.remove(field);
            }
        }
    }
    Ok(config)
}

/// `unknown field "spec.foo"` in the words of structured-merge-diff.
fn undeclared(text: &str) -> String {
    let path = text.trim_start_matches("unknown field ").trim_matches('"');
    format!(".{path}: field not declared in schema")
}

/// Upstream: structuredMergeManager.Apply; a bare error, hence 500 without a reason.
fn untyped(config: &Value, problem: &str) -> ApiError {
    let text = |path: &str| {
        config
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    ApiError {
        code: 500,
        reason: "",
        message: format!(
            "failed to create typed patch object ({namespace}/{name}; {api_version}, Kind={kind}): {problem}"
        ),
        details: None,
    }
}

/// Records who owns what after a plain create, update or patch; does nothing for an object that was never applied.
///
/// The new object may carry entries of its own (clients rewrite them when they move to server-side apply); one empty
/// entry, or none where there were some before, forgets all.
pub fn update_managed_fields(change: &Change<'_>, old: &Value, new: &mut Value) {
    let before = Managers::read(old);
    let mut managers = if Managers::is_given(new) {
        Managers::read(new)
    } else {
        before
    };
    if managers.is_empty() {
        managers.write(new);
        return;
    }
    let difference = merge::compare(change.of, old, new);
    managers.disown_except(&difference.changed, &change.entry("Update"));
    managers.disown(&difference.removed);
    let mut changed = difference.changed;
    change.strip(&mut changed);
    if !changed.is_empty() {
        let mut own = change.entry("Update");
        if let Some(last) = managers.take(&own) {
            own.fields = last.fields;
        }
        own.fields.add(&changed);
        managers.put(own);
    }
    managers.write(new);
}
