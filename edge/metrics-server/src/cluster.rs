//! What is known of nodes and running pods, kept by watches.

mod node;
mod watch;

pub(crate) use k8s::labels::Labels;
pub(crate) use node::Node;
pub(crate) use watch::keep;

use k8s::labels::Interner;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nodes by name, and the labels of running pods by namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    nodes: BTreeMap<Box<str>, Arc<Node>>,
    pods: BTreeMap<Box<str>, BTreeMap<Box<str>, Labels>>,
    interner: Interner,
    nodes_synced: bool,
    pods_synced: bool,
}

impl Cluster {
    /// Whether every node was listed once.
    pub(crate) fn nodes_synced(&self) -> bool {
        self.nodes_synced
    }

    /// Whether every running pod was listed once.
    pub(crate) fn pods_synced(&self) -> bool {
        self.pods_synced
    }

    /// All nodes, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// One node.
    pub(crate) fn node(&self, name: &str) -> Option<&Arc<Node>> {
        self.nodes.get(name)
    }

    /// The labels of a running pod.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<&Labels> {
        self.pods.get(namespace)?.get(name)
    }

    /// Running pods of one namespace, or of all, sorted: namespace, name, labels.
    pub(crate) fn pods<'a>(
        &'a self,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Labels)> {
        let one = namespace.and_then(|name| self.pods.get_key_value(name));
        let all = self.pods.iter().filter(move |_| namespace.is_none());
        one.into_iter().chain(all).flat_map(|(namespace, pods)| {
            pods.iter()
                .map(move |(name, labels)| (&**namespace, &**name, labels))
        })
    }

    pub(crate) fn put_node(&mut self, node: Node) {
        self.nodes.insert(node.name.clone(), Arc::new(node));
    }

    fn remove_node(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    pub(crate) fn put_pod(
        &mut self,
        namespace: &str,
        name: &str,
        labels: BTreeMap<String, String>,
    ) {
        let labels = self.interner.intern(labels);
        if !self.pods.contains_key(namespace) {
            self.pods.insert(namespace.into(), BTreeMap::new());
        }
        if let Some(pods) = self.pods.get_mut(namespace) {
            pods.insert(name.into(), labels);
        }
    }

    fn remove_pod(&mut self, namespace: &str, name: &str) {
        if let Some(pods) = self.pods.get_mut(namespace) {
            pods.remove(name);
            if pods.is_empty() {
                self.pods.remove(namespace);
            }
        }
    }
}
