//! Small facts about object metadata, owners and selectors.

use crate::engine::Error;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference, Time};
use kube::Resource;
use kube::core::{Selector, SelectorExt};
use std::collections::BTreeMap;

/// Labels or annotations.
pub(crate) type Map = BTreeMap<String, String>;

/// A time as objects carry it: whole seconds.
pub(crate) fn stamp(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// The owner that controls the object.
pub(crate) fn controller_of<K: Resource>(object: &K) -> Option<&OwnerReference> {
    let owners = object.meta().owner_references.as_ref()?;
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// Whether `owner` controls `object`.
pub(crate) fn is_controlled_by<K: Resource, O: Resource>(object: &K, owner: &O) -> bool {
    controller_of(object).is_some_and(|found| owner.meta().uid.as_ref() == Some(&found.uid))
}

/// The reference that makes `owner` the controller of an object.
pub(crate) fn controller_reference<O: Resource<DynamicType = ()>>(owner: &O) -> OwnerReference {
    OwnerReference {
        api_version: O::api_version(&()).into_owned(),
        kind: O::kind(&()).into_owned(),
        name: name(owner).to_owned(),
        uid: uid(owner).to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The object's name; empty if it has none yet.
pub(crate) fn name<K: Resource>(object: &K) -> &str {
    object.meta().name.as_deref().unwrap_or_default()
}

/// The object's namespace; empty if it has none.
pub(crate) fn namespace<K: Resource>(object: &K) -> &str {
    object.meta().namespace.as_deref().unwrap_or_default()
}

/// The object's uid; empty if it has none yet.
pub(crate) fn uid<K: Resource>(object: &K) -> &str {
    object.meta().uid.as_deref().unwrap_or_default()
}

/// Whether the object's deletion has begun.
pub(crate) fn is_deleted<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// When the object was created; the epoch if it was not yet.
pub(crate) fn created<K: Resource>(object: &K) -> Timestamp {
    object
        .meta()
        .creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

/// One annotation.
pub(crate) fn annotation<'a, K: Resource>(object: &'a K, key: &str) -> Option<&'a str> {
    object
        .meta()
        .annotations
        .as_ref()?
        .get(key)
        .map(String::as_str)
}

/// The selector as something that matches, or why it cannot be one.
pub(crate) fn selector(selector: &LabelSelector) -> Result<Selector, Error> {
    Selector::try_from(selector.clone())
        .map_err(|error| Error::Invalid(format!("the label selector is not valid: {error}")))
}

/// Whether the object's labels match.
pub(crate) fn matches<K: Resource>(selector: &Selector, object: &K) -> bool {
    match &object.meta().labels {
        Some(labels) => selector.matches(labels),
        None => selector.matches(&BTreeMap::new()),
    }
}

/// Whether every wanted label is on the object; nothing wanted matches nothing, as for Services.
pub(crate) fn has_labels<K: Resource>(object: &K, wanted: &Map) -> bool {
    let labels = object.meta().labels.as_ref();
    !wanted.is_empty()
        && wanted
            .iter()
            .all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
}
