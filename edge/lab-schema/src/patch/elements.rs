//! Strategic merge patch: the elements of lists.
//!
//! Upstream: apimachinery/pkg/util/strategicpatch/patch.go mergeSlice (v1.36).

use super::PatchError;
use super::directive::{self, PATCH, bad_directive, no_merge_key, plain};
use super::order;
use super::strategic::merge_map;
use crate::TypeRef;
use crate::go;
use crate::schema::Strategy;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What is known of a list.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    /// The type of its elements.
    pub(super) items: Option<TypeRef<'a>>,
    /// How it merges.
    pub(super) strategy: &'a Strategy,
}

impl<'a> List<'a> {
    /// The field that names an element; none for scalars.
    pub(super) fn key(&self) -> Option<&'a str> {
        self.strategy.merge_key.as_deref()
    }
}

/// Merges the patch's elements into the list; replaces it where the strategy does not merge.
pub(super) fn merge(
    live: Vec<Value>,
    patch: Vec<Value>,
    list: List<'_>,
) -> Result<Vec<Value>, PatchError> {
    if !list.strategy.merge {
        return Ok(patch);
    }
    if live.is_empty() && patch.is_empty() {
        return Ok(live);
    }
    let objects = check_alike(&live, &patch)?;
    let server_order = live.clone();
    let (merged, patch) = if objects {
        let key = list.key().ok_or_else(|| {
            PatchError::Other("cannot merge lists without merge key for type struct".into())
        })?;
        merge_objects(live, patch, key, list.items)?
    } else {
        let mut merged = live;
        for item in &patch {
            merged.push(item.clone());
        }
        (distinct(merged), patch)
    };
    order::arrange(merged, &patch, &server_order, list.key())
}

/// Whether the elements are objects; all must be of one type. Upstream: sliceElementType.
fn check_alike(live: &[Value], patch: &[Value]) -> Result<bool, PatchError> {
    let mut all = live.iter().chain(patch);
    let first = all.clone().next().map_or("", go::type_name);
    if first == "[]interface {}" {
        return Err(PatchError::Unprocessable(
            "lists of lists are not supported".into(),
        ));
    }
    if all.any(|item| go::type_name(item) != first) {
        let lists = Value::Array(vec![live.to_vec().into(), patch.to_vec().into()]);
        return Err(PatchError::Other(format!(
            "list element types are not identical: {}",
            go::print(&lists)
        )));
    }
    Ok(first.starts_with("map"))
}

/// Merges element by element; returns also the patch's elements that are not directives.
fn merge_objects(
    mut live: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
    of: Option<TypeRef<'_>>,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut replace = false;
    let mut plain_items: Vec<Value> = Vec::new();
    let mut deleted = HashSet::new();
    for item in patch {
        let Value::Object(fields) = item else {
            continue;
        };
        match fields.get(PATCH).map(|d| (d, d.as_str())) {
            None => plain_items.push(Value::Object(fields)),
            Some((_, Some("delete"))) => {
                let name = fields.get(key).ok_or_else(|| no_merge_key(&fields, key))?;
                deleted.insert(name.clone());
            }
            Some((_, Some("replace"))) => replace = true,
            Some((_, Some("merge"))) => {
                return Err(PatchError::Other(
                    "merging lists cannot yet be specified in the patch".into(),
                ));
            }
            Some((directive, _)) => return Err(bad_directive(directive, &fields)),
        }
    }
    if replace {
        return Ok((directive::plain_items(plain_items), Vec::new()));
    }
    live.retain(|item| item.get(key).is_none_or(|name| !deleted.contains(name)));
    merge_named(&mut live, &plain_items, key, of)?;
    Ok((live, plain_items))
}

/// Merges each element into its namesake, or appends it. Upstream: mergeSliceWithoutSpecialElements.
fn merge_named(
    live: &mut Vec<Value>,
    patch: &[Value],
    key: &str,
    of: Option<TypeRef<'_>>,
) -> Result<(), PatchError> {
    let mut places: HashMap<Value, usize> = HashMap::with_capacity(live.len());
    for (at, item) in live.iter().enumerate() {
        if let Some(name) = item.get(key) {
            places.entry(name.clone()).or_insert(at);
        }
    }
    for item in patch {
        let Value::Object(fields) = item else {
            continue;
        };
        let name = fields.get(key).ok_or_else(|| no_merge_key(fields, key))?;
        if let Some(Value::Object(found)) = places.get(name).and_then(|at| live.get_mut(*at)) {
            *found = merge_map(std::mem::take(found), fields.clone(), of)?;
        } else {
            places.insert(name.clone(), live.len());
            live.extend(plain(item.clone()));
        }
    }
    Ok(())
}

/// The list without the given scalars. Upstream: deleteFromSlice.
pub(super) fn without(live: Vec<Value>, gone: &[Value]) -> Vec<Value> {
    let gone: HashSet<&Value> = gone.iter().collect();
    live.into_iter()
        .filter(|item| !gone.contains(item))
        .collect()
}

/// Each scalar once. Upstream: deduplicateScalars, whose order of what remains is arranged afterwards.
fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::with_capacity(items.len());
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}
