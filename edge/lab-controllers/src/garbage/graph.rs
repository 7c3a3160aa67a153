//! Who owns whom, by uid.
//!
//! Upstream: pkg/controller/garbagecollector/graph_builder.go (v1.36).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::ObjectMeta;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const FOREGROUND: &str = "foregroundDeletion";
pub(super) const ORPHAN: &str = "orphan";

/// Where an object is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Alive,
    /// Being deleted, and waiting for its dependents to go first.
    Foreground,
    /// Being deleted, and waiting for its dependents to be let go.
    Orphaning,
    /// Being deleted for other reasons.
    Deleting,
}

/// One owner of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: String,
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// Whether the owner's foreground deletion waits for the item.
    pub(super) blocks: bool,
}

impl Owner {
    fn new(reference: &OwnerReference) -> Self {
        let group = reference
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        Self {
            uid: reference.uid.clone(),
            group: group.to_owned(),
            kind: reference.kind.clone(),
            name: reference.name.clone(),
            blocks: reference.block_owner_deletion == Some(true),
        }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) uid: String,
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) owners: Vec<Owner>,
    pub(super) state: State,
}

impl Item {
    /// The item that `meta` tells of; `None` without a uid.
    pub(super) fn new(group: &str, kind: &str, meta: &ObjectMeta) -> Option<Self> {
        Some(Self {
            uid: meta.uid.clone()?,
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            owners: meta
                .owner_references
                .iter()
                .flatten()
                .map(Owner::new)
                .collect(),
            state: state(meta),
        })
    }
}

fn state(meta: &ObjectMeta) -> State {
    let has = |wanted: &str| {
        meta.finalizers
            .iter()
            .flatten()
            .any(|finalizer| finalizer == wanted)
    };
    match meta.deletion_timestamp {
        None => State::Alive,
        Some(_) if has(FOREGROUND) => State::Foreground,
        Some(_) if has(ORPHAN) => State::Orphaning,
        Some(_) => State::Deleting,
    }
}

/// All objects that the watches have told of.
#[derive(Debug, Default)]
pub(super) struct Graph {
    items: BTreeMap<String, Item>,
    /// By the owner's uid; the owner itself may be unknown.
    dependents: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(super) fn get(&self, uid: &str) -> Option<&Item> {
        self.items.get(uid)
    }

    /// The items that name `uid` as an owner.
    pub(super) fn dependents(&self, uid: &str) -> impl Iterator<Item = &Item> {
        let uids = self.dependents.get(uid);
        uids.into_iter()
            .flatten()
            .filter_map(|uid| self.items.get(uid))
    }

    /// The items of a kind.
    pub(super) fn of_kind(&self, group: &str, kind: &str) -> Vec<String> {
        let items = self.items.values();
        let same = items.filter(|item| item.group == group && item.kind == kind);
        same.map(|item| item.uid.clone()).collect()
    }

    /// Takes in an item; returns whom to look at.
    pub(super) fn apply(&mut self, item: Item) -> Vec<String> {
        let uid = item.uid.clone();
        let old = self.items.get(&uid);
        if old == Some(&item) {
            return Vec::new();
        }
        let new_state = old.is_none_or(|old| old.state != item.state);
        let new_owners = old.is_none_or(|old| old.owners != item.owners);
        // An owner that waits for this one must look again when this one lets go of it.
        let mut work: Vec<String> = match old {
            Some(old) if new_owners => self.foreground_owners(old),
            _ => Vec::new(),
        };
        if new_owners {
            self.unlink(&uid);
            for owner in &item.owners {
                self.dependents
                    .entry(owner.uid.clone())
                    .or_default()
                    .insert(uid.clone());
            }
        }
        let look = match item.state {
            State::Alive => new_owners && !item.owners.is_empty(),
            State::Foreground | State::Orphaning => new_state,
            State::Deleting => false,
        };
        if look {
            work.push(uid.clone());
        }
        self.items.insert(uid, item);
        work
    }

    /// Drops an item; returns whom to look at.
    pub(super) fn remove(&mut self, uid: &str) -> Vec<String> {
        let Some(item) = self.items.get(uid).cloned() else {
            return Vec::new();
        };
        let mut work: Vec<String> = self.dependents(uid).map(|item| item.uid.clone()).collect();
        work.extend(self.foreground_owners(&item));
        self.unlink(uid);
        self.items.remove(uid);
        work
    }

    fn foreground_owners(&self, item: &Item) -> Vec<String> {
        let owners = item
            .owners
            .iter()
            .filter_map(|owner| self.items.get(&owner.uid));
        let waiting = owners.filter(|owner| owner.state == State::Foreground);
        waiting.map(|owner| owner.uid.clone()).collect()
    }

    fn unlink(&mut self, uid: &str) {
        let owners = self
            .items
            .get(uid)
            .map(|item| item.owners.clone())
            .unwrap_or_default();
        for owner in owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(uid);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }
}

/// What an owner is to its dependent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// There, and staying.
    Solid,
    /// Gone.
    Absent,
    /// Being deleted in the foreground: waits for this very dependent.
    Waiting,
}

/// What becomes of an item with owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// Drop the references to these owners; another owner holds the item.
    Release(Vec<String>),
    /// Delete, in the foreground if its own dependents are to go first.
    Delete {
        foreground: bool,
    },
}

/// Upstream: attemptToDeleteItem.
pub(super) fn verdict(owners: &[(String, Standing)], has_dependents: bool) -> Verdict {
    let having = |standing: Standing| owners.iter().filter(move |(_, held)| *held == standing);
    if owners.is_empty() {
        return Verdict::Keep;
    }
    if having(Standing::Solid).next().is_some() {
        let loose: Vec<String> = owners
            .iter()
            .filter(|(_, standing)| *standing != Standing::Solid)
            .map(|(uid, _)| uid.clone())
            .collect();
        return if loose.is_empty() {
            Verdict::Keep
        } else {
            Verdict::Release(loose)
        };
    }
    let foreground = having(Standing::Waiting).next().is_some() && has_dependents;
    Verdict::Delete { foreground }
}
