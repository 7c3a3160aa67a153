//! The order of a merged list: the patch's order where it names elements, the server's for the rest.
//!
//! Upstream: apimachinery/pkg/util/strategicpatch/patch.go normalizeElementOrder, mergeSortedSlice (v1.36).

use super::PatchError;
use super::directive::{PATCH, bad_order, no_merge_key};
use crate::go;
use serde_json::Value;
use std::collections::HashMap;

/// What names an element: its merge key's value, or the scalar itself.
fn name<'v>(item: &'v Value, key: Option<&str>) -> Result<&'v Value, PatchError> {
    match (key, item) {
        (None, scalar) => Ok(scalar),
        (Some(key), Value::Object(fields)) => {
            fields.get(key).ok_or_else(|| no_merge_key(fields, key))
        }
        (Some(_), _) => Err(bad_order()),
    }
}

/// Where each element is first.
fn places<'v>(
    items: &'v [Value],
    key: Option<&str>,
) -> Result<HashMap<&'v Value, usize>, PatchError> {
    let mut places = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        places.entry(name(item, key)?).or_insert(at);
    }
    Ok(places)
}

/// The patch's elements must be in the order that it asks for. Upstream: validatePatchWithSetOrderList.
pub(super) fn validate(
    patch: &[Value],
    order: &[Value],
    key: Option<&str>,
) -> Result<(), PatchError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut wanted = order.iter();
    for item in patch.iter().filter(|item| item.get(PATCH).is_none()) {
        let this = name(item, key)?;
        let mut found = false;
        for candidate in wanted.by_ref() {
            if name(candidate, key)? == this {
                found = true;
                break;
            }
        }
        if !found {
            return Err(PatchError::Other(format!(
                "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                go::print(&patch.to_vec().into()),
                go::print(&order.to_vec().into()),
            )));
        }
    }
    Ok(())
}

/// Arranges merged elements: those in `order` follow it, the rest keep the server's order, and the two are merged by
/// the server's order.
pub(super) fn arrange(
    merged: Vec<Value>,
    order: &[Value],
    server_order: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, PatchError> {
    let order = places(order, key)?;
    let server = places(server_order, key)?;
    let mut patch_items = Vec::new();
    let mut server_items = Vec::new();
    for item in merged {
        let (in_patch, on_server) = {
            let this = name(&item, key)?;
            (order.get(this).copied(), server.get(this).copied())
        };
        match in_patch {
            Some(at) => patch_items.push((at, on_server, item)),
            None => server_items.push((on_server.unwrap_or(usize::MAX), on_server, item)),
        }
    }
    patch_items.sort_by_key(|(at, ..)| *at);
    server_items.sort_by_key(|(at, ..)| *at);
    let mut out = Vec::with_capacity(patch_items.len() + server_items.len());
    let mut left = server_items.into_iter().peekable();
    let mut right = patch_items.into_iter().peekable();
    while let (Some((_, l, _)), Some((_, r, _))) = (left.peek(), right.peek()) {
        let server_first = matches!((l, r), (Some(l), Some(r)) if l < r);
        let next = if server_first {
            left.next()
        } else {
            right.next()
        };
        out.extend(next.map(|(.., item)| item));
    }
    out.extend(left.chain(right).map(|(.., item)| item));
    Ok(out)
}
