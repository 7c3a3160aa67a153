//! What the pods of each node request, kept as pods come and go.

use super::convert;
use crate::meta;
use k8s_openapi::api::core::v1::Pod;
use node_plan::Amounts;
use std::collections::HashMap;

/// One placed pod.
struct Entry {
    node: String,
    requests: Amounts,
    owner: Option<String>,
}

/// The sum of a node's pods.
#[derive(Default)]
struct Sum {
    requested: Amounts,
    pods: i64,
    owners: HashMap<String, u32>,
}

/// The accounts of all nodes.
#[derive(Default)]
pub(super) struct Accounts {
    pods: HashMap<String, Entry>,
    nodes: HashMap<String, Sum>,
}

impl Accounts {
    /// Whether the pod counts on some node.
    pub(super) fn is_placed(&self, uid: &str) -> bool {
        self.pods.contains_key(uid)
    }

    /// Counts the pod on `node`.
    pub(super) fn place(&mut self, pod: &Pod, node: &str) {
        let uid = meta::uid(pod);
        let requests = convert::requests(pod);
        if self
            .pods
            .get(uid)
            .is_some_and(|held| held.node == node && held.requests == requests)
        {
            return;
        }
        self.remove(uid);
        let owner = meta::controller_of(pod).map(|owner| owner.uid.clone());
        let sum = self.nodes.entry(node.to_owned()).or_default();
        sum.pods += 1;
        for (resource, amount) in &requests {
            *sum.requested.entry(resource.clone()).or_default() += amount;
        }
        if let Some(owner) = &owner {
            *sum.owners.entry(owner.clone()).or_default() += 1;
        }
        self.pods.insert(
            uid.to_owned(),
            Entry {
                node: node.to_owned(),
                requests,
                owner,
            },
        );
    }

    /// Takes the pod off its node; false if it was on none.
    pub(super) fn remove(&mut self, uid: &str) -> bool {
        let Some(entry) = self.pods.remove(uid) else {
            return false;
        };
        let Some(sum) = self.nodes.get_mut(&entry.node) else {
            return true;
        };
        sum.pods -= 1;
        for (resource, amount) in &entry.requests {
            *sum.requested.entry(resource.clone()).or_default() -= amount;
        }
        if let Some(count) = entry
            .owner
            .as_ref()
            .and_then(|owner| sum.owners.get_mut(owner))
        {
            *count -= 1;
        }
        sum.owners.retain(|_, count| *count > 0);
        if sum.pods == 0 {
            self.nodes.remove(&entry.node);
        }
        true
    }

    /// Adds to `node` what its pods request, and how many of them `owner` controls.
    pub(super) fn fill(&self, mut node: node_plan::Node, owner: Option<&str>) -> node_plan::Node {
        if let Some(sum) = self.nodes.get(&node.name) {
            node.requested = sum.requested.clone();
            node.pods.1 = sum.pods;
            node.siblings = owner
                .and_then(|owner| sum.owners.get(owner))
                .copied()
                .unwrap_or(0);
        }
        node
    }
}
