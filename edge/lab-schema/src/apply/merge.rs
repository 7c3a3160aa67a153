//! Merging, pruning and comparing objects, and the fields that they have.
//!
//! Upstream: structured-merge-diff/typed (merge.go, remove.go, compare.go, tofieldset.go).

use super::keys::step;
use super::set::FieldSet;
use crate::TypeRef;
use crate::schema::{ListMerge, Scalar, Shape};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// How a value takes part in ownership.
enum Parts<'v, 'a> {
    /// As a whole.
    Whole,
    /// Field by field; the type tells each field's.
    Fields(&'v Map<String, Value>),
    /// Element by element.
    Elements(&'v Vec<Value>, &'a ListMerge),
}

/// Without a type, maps are taken apart and lists are whole, as for custom resources without a schema.
fn parts<'v, 'a>(of: Option<TypeRef<'a>>, value: &'v Value) -> Parts<'v, 'a> {
    match (of.map(TypeRef::shape), value) {
        (None, Value::Object(fields)) => Parts::Fields(fields),
        (Some(Shape::Struct(object)), Value::Object(fields)) if !object.is_atomic() => {
            Parts::Fields(fields)
        }
        (Some(Shape::Map(_, false)), Value::Object(fields)) => Parts::Fields(fields),
        (
            Some(Shape::List(_, merge @ (ListMerge::Set | ListMerge::Map(_)))),
            Value::Array(items),
        ) => Parts::Elements(items, merge),
        _ => Parts::Whole,
    }
}

fn field_step(name: &str) -> String {
    format!("f:{name}")
}

/// A field's type, and whether the field is a struct's own (and not a key of a map).
fn field_type<'a>(of: Option<TypeRef<'a>>, name: &str) -> (Option<TypeRef<'a>>, bool) {
    match of.map(TypeRef::shape) {
        Some(Shape::Struct(object)) => match object.field(name) {
            // A field of any value without a schema is taken apart like the open object that it is in.
            Some(field)
                if object.is_open() && matches!(field.of.shape(), Shape::Scalar(Scalar::Any)) =>
            {
                (None, true)
            }
            Some(field) => (Some(field.of), true),
            None => (None, false),
        },
        Some(Shape::Map(values, _)) => (Some(values), false),
        _ => (None, false),
    }
}

/// The fields that an object has. Upstream: ToFieldSet.
pub(super) fn field_set(of: TypeRef<'_>, object: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(Some(of), object, &mut set);
    set
}

/// Adds a value's parts; returns whether the value itself has to be a member of the set.
fn collect(of: Option<TypeRef<'_>>, value: &Value, set: &mut FieldSet) -> bool {
    match parts(of, value) {
        Parts::Whole => true,
        Parts::Fields(fields) => {
            for (name, value) in fields {
                let (of, declared) = field_type(of, name);
                let mut below = FieldSet::default();
                if collect(of, value, &mut below) || !declared {
                    set.insert(field_step(name));
                }
                set.insert_below(field_step(name), below);
            }
            fields.is_empty()
        }
        Parts::Elements(items, merge) => {
            let of = of.and_then(TypeRef::items);
            for item in items {
                let step = step(merge, item);
                let mut below = FieldSet::default();
                collect(of, item, &mut below);
                set.insert(step.clone());
                set.insert_below(step, below);
            }
            items.is_empty()
        }
    }
}

/// The live object with the wish laid over it. Upstream: TypedValue.Merge.
pub(super) fn merge(of: TypeRef<'_>, live: &Value, config: &Value) -> Value {
    merge_values(Some(of), live, config)
}

fn merge_values(of: Option<TypeRef<'_>>, live: &Value, config: &Value) -> Value {
    match (parts(of, live), parts(of, config)) {
        (Parts::Fields(live), Parts::Fields(config)) => {
            let mut out = live.clone();
            for (name, wanted) in config {
                let (of, _) = field_type(of, name);
                let merged = match live.get(name) {
                    Some(live) => merge_values(of, live, wanted),
                    None => wanted.clone(),
                };
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Parts::Elements(live, merge), Parts::Elements(config, _)) => Value::Array(merge_elements(
            of.and_then(TypeRef::items),
            merge,
            live,
            config,
        )),
        _ => config.clone(),
    }
}

/// The wish's elements keep their order; the others stay behind the element that they followed.
fn merge_elements(
    of: Option<TypeRef<'_>>,
    merge: &ListMerge,
    live: &[Value],
    config: &[Value],
) -> Vec<Value> {
    let wanted: HashMap<String, usize> = config
        .iter()
        .enumerate()
        .map(|(at, item)| (step(merge, item), at))
        .collect();
    let mut found: HashMap<String, &Value> = HashMap::new();
    for item in live {
        found.entry(step(merge, item)).or_insert(item);
    }
    let take = |item: &Value| match found.get(&step(merge, item)) {
        Some(live) => merge_values(of, live, item),
        None => item.clone(),
    };
    let mut out = Vec::with_capacity(live.len() + config.len());
    let mut next = 0;
    for item in live {
        match wanted.get(&step(merge, item)) {
            None => out.push(item.clone()),
            Some(at) if *at >= next => {
                out.extend(config[next..=*at].iter().map(take));
                next = at + 1;
            }
            Some(_) => {}
        }
    }
    out.extend(config[next..].iter().map(take));
    out
}

/// Removes what the manager applied last time and nobody owns now. Upstream: Updater.prune.
pub(super) fn prune(of: TypeRef<'_>, object: &mut Value, last: &FieldSet, kept: &FieldSet) {
    prune_value(Some(of), object, last, kept);
}

fn prune_value(of: Option<TypeRef<'_>>, value: &mut Value, last: &FieldSet, kept: &FieldSet) {
    if matches!(parts(of, value), Parts::Whole) {
        return;
    }
    let keep = |of, step: &str, value: &mut Value| match (last.below(step), kept.below(step)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(last), Some(kept)) => {
            prune_value(of, value, last, kept);
            true
        }
    };
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let (of, _) = field_type(of, name);
            keep(of, &field_step(name), value)
        }),
        Value::Array(items) => {
            let Some(Shape::List(of, merge)) = of.map(TypeRef::shape) else {
                return;
            };
            items.retain_mut(|item| {
                let step = step(merge, item);
                keep(Some(of), &step, item)
            });
        }
        _ => {}
    }
}

/// What differs between two objects. Upstream: Comparison.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Added or modified.
    pub(super) changed: FieldSet,
    pub(super) removed: FieldSet,
}

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Compares two objects. Upstream: TypedValue.Compare.
pub(super) fn compare(of: TypeRef<'_>, old: &Value, new: &Value) -> Difference {
    let mut difference = Difference::default();
    compare_values(Some(of), old, new, &mut difference);
    difference
}

/// Returns whether the value itself is modified as a whole.
fn compare_values(
    of: Option<TypeRef<'_>>,
    old: &Value,
    new: &Value,
    into: &mut Difference,
) -> bool {
    match (parts(of, old), parts(of, new)) {
        (Parts::Fields(old), Parts::Fields(new)) => {
            for (name, new) in new {
                let (of, _) = field_type(of, name);
                compare_part(of, field_step(name), old.get(name), Some(new), into);
            }
            for (name, old) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
                let (of, _) = field_type(of, name);
                compare_part(of, field_step(name), Some(old), None, into);
            }
            false
        }
        (Parts::Elements(old, merge), Parts::Elements(new, _)) => {
            let of = of.and_then(TypeRef::items);
            let mut left: HashMap<String, &Value> =
                old.iter().map(|item| (step(merge, item), item)).collect();
            for item in new {
                let step = step(merge, item);
                let old = left.remove(&step);
                compare_part(of, step, old, Some(item), into);
            }
            for (step, item) in left {
                compare_part(of, step, Some(item), None, into);
            }
            false
        }
        _ => old != new,
    }
}

fn compare_part(
    of: Option<TypeRef<'_>>,
    step: String,
    old: Option<&Value>,
    new: Option<&Value>,
    into: &mut Difference,
) {
    let whole = |value| {
        let mut below = FieldSet::default();
        collect(of, value, &mut below);
        below
    };
    match (old, new) {
        (Some(old), Some(new)) => {
            let mut below = Difference::default();
            if compare_values(of, old, new, &mut below) {
                into.changed.insert(step.clone());
            }
            into.changed.insert_below(step.clone(), below.changed);
            into.removed.insert_below(step, below.removed);
        }
        (None, Some(new)) => {
            into.changed.insert(step.clone());
            into.changed.insert_below(step, whole(new));
        }
        (Some(old), None) => {
            into.removed.insert(step.clone());
            into.removed.insert_below(step, whole(old));
        }
        (None, None) => {}
    }
}
