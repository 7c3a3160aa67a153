//! The registry as it is now: it follows the APIServices and definitions in the store.
//!
//! Nothing tells it of a change: it looks, at every request, whether there was one, so what is
//! registered is served at once.

use super::{Registry, priority};
use crate::aggregate::{APISERVICES, Remote};
use crate::backend::{Backend, Payload};
use crate::crd::{self, DEFINITIONS};
use objects::ListQuery;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What the registry is made of.
const SOURCES: [&str; 2] = [APISERVICES, DEFINITIONS];
/// Upstream: handleVersionUpdate in pkg/controlplane/controller/crdregistration.
pub(crate) const CUSTOM_GROUP: i64 = 1_000;
pub(crate) const CUSTOM_VERSION: i64 = 100;

/// Where requests find the registry.
#[derive(Debug, Default)]
pub(crate) struct Dynamic {
    /// The registry, and up to which revision it has followed the store.
    known: RwLock<(Option<u64>, Arc<Registry>)>,
}

impl Dynamic {
    /// The registry as it is now.
    pub(crate) fn current(&self, backend: &Backend) -> Arc<Registry> {
        let latest = {
            let state = backend.read();
            SOURCES
                .iter()
                .map(|name| state.store.changed_at(name))
                .max()
        };
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.0.is_some() && known.0 >= latest {
                return known.1.clone();
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let (stamp, registry) = build(backend, &known.1);
        end_watches(&known.1, &registry);
        let registry = Arc::new(registry);
        *known = (Some(stamp), registry.clone());
        registry
    }
}

fn build(backend: &Backend, before: &Registry) -> (u64, Registry) {
    let (stamp, services, definitions) = {
        let state = backend.read();
        let all = |collection| -> Vec<Payload> {
            let query = ListQuery {
                collection,
                prefix: "",
                after: None,
                at: None,
            };
            let page = state.store.list(query, None, |_| true);
            let items = page.map(|page| page.items).unwrap_or_default();
            items.into_iter().map(|item| item.payload).collect()
        };
        (state.store.revision(), all(APISERVICES), all(DEFINITIONS))
    };
    let mut registry = Registry::builtin();
    let builtin = registry.groups.len();
    for stored in &definitions {
        for served in crd::served(stored, before) {
            registry.add_custom(served);
        }
    }
    let mut priorities = Priorities::default();
    for stored in &services {
        priorities.note(stored);
        if let Some(remote) = Remote::of(stored) {
            registry.add_remote(remote);
        }
    }
    sort(&mut registry.groups, builtin, &priorities);
    (stamp, registry)
}

/// Ends what watches types that are gone or have changed, as upstream does.
fn end_watches(before: &Registry, now: &Registry) {
    for served in before.all() {
        let Some(custom) = &served.custom else {
            continue;
        };
        let found = now.find(&served.group, &served.version, &served.resource);
        let same = found
            .and_then(|found| found.custom.clone())
            .is_some_and(|found| Arc::ptr_eq(&found, custom));
        if !same {
            custom.ended.cancel();
        }
    }
}

/// What APIServices say of the order of groups and versions.
#[derive(Debug, Default)]
struct Priorities {
    groups: BTreeMap<String, i64>,
    versions: BTreeMap<(String, String), i64>,
}

impl Priorities {
    fn note(&mut self, stored: &Payload) {
        if stored
            .meta
            .label("kube-aggregator.kubernetes.io/automanaged")
            == Some("onstart")
        {
            return;
        }
        let object = stored.value();
        let spec = &object["spec"];
        let text = |key: &str| spec[key].as_str().unwrap_or("").to_owned();
        let number = |key: &str| spec[key].as_i64();
        if let Some(found) = number("groupPriorityMinimum") {
            let group = self.groups.entry(text("group")).or_insert(found);
            *group = found.max(*group);
        }
        if let Some(found) = number("versionPriority") {
            self.versions
                .insert((text("group"), text("version")), found);
        }
    }

    fn group(&self, name: &str) -> i64 {
        self.groups.get(name).copied().unwrap_or(CUSTOM_GROUP)
    }
}

/// Puts the groups after the built-in ones where their priorities want them.
fn sort(groups: &mut Vec<(String, Vec<String>)>, builtin: usize, priorities: &Priorities) {
    let mut added = groups.split_off(builtin.min(groups.len()));
    added.sort_by_key(|(name, _)| (Reverse(priorities.group(name)), name.clone()));
    for (name, mut versions) in added {
        versions.sort_by_key(|version| {
            let key = (name.clone(), version.clone());
            let wanted = priorities.versions.get(&key).copied();
            (Reverse(wanted.unwrap_or(CUSTOM_VERSION)), age(version))
        });
        let wanted = priorities.group(&name);
        let later = |(other, _): &(String, Vec<String>)| {
            let theirs = match priorities.groups.get(other) {
                Some(given) => *given,
                None if Registry::is_builtin(other) => priority(other),
                None => CUSTOM_GROUP,
            };
            !other.is_empty() && theirs < wanted
        };
        let at = groups.iter().position(later).unwrap_or(groups.len());
        groups.insert(at, (name, versions));
    }
}

/// Stable versions first, newest first; then beta, then alpha, then what is no such version.
///
/// Upstream: CompareKubeAwareVersionStrings (apimachinery/pkg/version/helpers.go).
fn age(version: &str) -> (u8, Reverse<u64>, Reverse<u64>, String) {
    let other = || (3, Reverse(0), Reverse(0), version.to_owned());
    let Some(rest) = version.strip_prefix('v') else {
        return other();
    };
    let digits = |text: &str| -> Option<u64> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten()
    };
    for (rank, word) in [(1, "beta"), (2, "alpha")] {
        if let Some((major, minor)) = rest.split_once(word) {
            return match (digits(major), digits(minor)) {
                (Some(major), Some(minor)) => (rank, Reverse(major), Reverse(minor), String::new()),
                _ => other(),
            };
        }
    }
    digits(rest).map_or_else(other, |major| {
        (0, Reverse(major), Reverse(0), String::new())
    })
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn versions_come_as_kubernetes_orders_them() {
        let mut versions = [
            "foo1",
            "v1alpha1",
            "v10beta3",
            "v2",
            "v11alpha2",
            "v1",
            "v3beta1",
            "v12alpha1",
            "v10",
            "foo10",
        ];
        versions.sort_by_key(|version| age(version));
        let expected = [
            "v10",
            "v2",
            "v1",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "v1alpha1",
            "foo1",
            "foo10",
        ];
        assert_eq!(versions, expected);
    }
}
