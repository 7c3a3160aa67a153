//! Strategic merge patch: maps.
//!
//! Upstream: apimachinery/pkg/util/strategicpatch/patch.go mergeMap (v1.36). There the order in which a patch's fields
//! are visited is random; here it is the order of names.

use super::PatchError;
use super::directive::{Key, PATCH, RETAIN_KEYS, bad_directive, bad_type, plain, plain_items};
use super::elements::{self, List};
use super::order;
use crate::TypeRef;
use crate::schema::{Shape, Strategy};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An object being patched.
pub(super) type Fields = Map<String, Value>;

/// What the schema says of one field; an unknown field merges like a map without special rules.
pub(super) fn lookup<'a>(of: Option<TypeRef<'a>>, field: &str) -> (Option<TypeRef<'a>>, Strategy) {
    match of.map(TypeRef::shape) {
        Some(Shape::Struct(object)) => match object.field(field) {
            Some(field) => (Some(field.of), field.patch.clone()),
            None => (None, Strategy::default()),
        },
        Some(Shape::Map(value, _)) => (Some(value), Strategy::default()),
        _ => (None, Strategy::default()),
    }
}

/// Merges a patch into an object. Upstream: mergeMap.
pub(super) fn merge_map(
    mut original: Fields,
    mut patch: Fields,
    of: Option<TypeRef<'_>>,
) -> Result<Fields, PatchError> {
    if let Some(directive) = patch.remove(PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Fields::new()),
            _ => Err(bad_directive(&directive, &patch)),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    let orders = take_orders(&mut patch)?;
    for (field, order) in orders {
        order_list(&mut original, &mut patch, &field, order, of)?;
    }
    for (key, value) in patch {
        let (field, deleting) = match Key::parse(&key)? {
            Key::Delete(field) => (field, true),
            Key::Field(field) | Key::Order(field) => (field, false),
        };
        merge_field(&mut original, field, value, deleting, of)?;
    }
    Ok(original)
}

/// Upstream: applyRetainKeysDirective.
fn retain_keys(original: &mut Fields, patch: &mut Fields) -> Result<(), PatchError> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let bad = || PatchError::Bad("invalid patch format of retainKeys".into());
    let keys = keys.as_array().ok_or_else(bad)?;
    let kept = |field: &str| keys.iter().any(|k| k == field);
    for (key, value) in patch.iter() {
        if !value.is_null() && matches!(Key::parse(key)?, Key::Field(_)) && !kept(key) {
            return Err(bad());
        }
    }
    original.retain(|field, _| kept(field));
    Ok(())
}

/// Takes the `$setElementOrder` lists out of a patch, by field.
fn take_orders(patch: &mut Fields) -> Result<BTreeMap<String, Vec<Value>>, PatchError> {
    let mut orders = BTreeMap::new();
    for (key, value) in patch.iter_mut() {
        if let Key::Order(field) = Key::parse(key)? {
            match value.take() {
                Value::Array(order) => drop(orders.insert(field.to_owned(), order)),
                other => return Err(bad_type(&Value::Array(Vec::new()), &other)),
            }
        }
    }
    patch.retain(|key, _| !matches!(Key::parse(key), Ok(Key::Order(_))));
    Ok(orders)
}

/// Merges one list and brings it into the patch's order. Upstream: mergePatchIntoOriginal.
fn order_list(
    original: &mut Fields,
    patch: &mut Fields,
    field: &str,
    order: Vec<Value>,
    of: Option<TypeRef<'_>>,
) -> Result<(), PatchError> {
    let live = take_list(original, field)?;
    let change = take_list(patch, field)?;
    let (of, strategy) = lookup(of, field);
    let list = List {
        items: of.and_then(TypeRef::items),
        strategy: &strategy,
    };
    order::validate(change.as_deref().unwrap_or_default(), &order, list.key())?;
    let server_order = live.clone().unwrap_or_default();
    let merged = match (live, change) {
        (None, None) => return Ok(()),
        (Some(live), None) => live,
        (None, Some(change)) => plain_items(change),
        (Some(live), Some(change)) => elements::merge(live, change, list)?,
    };
    let merged = order::arrange(merged, &order, &server_order, list.key())?;
    original.insert(field.to_owned(), Value::Array(merged));
    Ok(())
}

fn take_list(fields: &mut Fields, field: &str) -> Result<Option<Vec<Value>>, PatchError> {
    match fields.remove(field) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(bad_type(&Value::Array(Vec::new()), &other)),
    }
}

/// Merges one field. `deleting`: the patch lists elements to remove from a list of scalars.
fn merge_field(
    original: &mut Fields,
    field: &str,
    patch: Value,
    deleting: bool,
    of: Option<TypeRef<'_>>,
) -> Result<(), PatchError> {
    if patch.is_null() {
        original.remove(field);
        return Ok(());
    }
    let Some(live) = original.remove(field) else {
        if !deleting && let Some(new) = plain(patch) {
            original.insert(field.to_owned(), new);
        }
        return Ok(());
    };
    let (of, strategy) = lookup(of, field);
    let merged = match (live, patch) {
        (Value::Object(live), Value::Object(patch)) if !strategy.replace => {
            Value::Object(merge_map(live, patch, of)?)
        }
        (Value::Object(_), patch @ Value::Object(_)) => patch,
        (Value::Array(live), Value::Array(patch)) if deleting => {
            Value::Array(elements::without(live, &patch))
        }
        (Value::Array(live), Value::Array(patch)) if strategy.merge => {
            let list = List {
                items: of.and_then(TypeRef::items),
                strategy: &strategy,
            };
            Value::Array(elements::merge(live, patch, list)?)
        }
        (live, _) if deleting => live,
        (Value::Array(_), patch @ Value::Array(_)) => patch,
        (_, patch) => match plain(patch) {
            Some(new) => new,
            None => return Ok(()),
        },
    };
    original.insert(field.to_owned(), merged);
    Ok(())
}
