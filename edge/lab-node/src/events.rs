//! Events about pods and the node.

use k8s_openapi::api::core::v1::{EventSource, Node, ObjectReference, Pod};
use kube::Client;
pub use runtime::events::Kind;
use runtime::events::reference;
use std::sync::Arc;

/// Leaves events to be written; clones share the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    recorder: runtime::events::Recorder,
    node: Arc<str>,
}

impl Recorder {
    /// A recorder for the kubelet of `node`, whose events a task of its own writes.
    pub fn new(client: Client, node: &str) -> Self {
        let source = EventSource {
            component: Some("kubelet".to_owned()),
            host: Some(node.to_owned()),
        };
        let (recorder, scribe) = runtime::events::Recorder::new(client, source);
        tokio::spawn(scribe.run());
        Self {
            recorder,
            node: node.into(),
        }
    }

    /// Something happened to a pod, or to the container at `path` (`spec.containers{app}`).
    pub fn pod(&self, pod: &Pod, path: Option<&str>, what: (Kind, &'static str), message: &str) {
        let about = ObjectReference {
            field_path: path.map(str::to_owned),
            ..reference(pod)
        };
        self.recorder.record(about, what.0, what.1, message);
    }

    /// Something happened to the node.
    pub fn node(&self, node: &Node, what: (Kind, &'static str), message: &str) {
        let about = ObjectReference {
            name: Some(self.node.to_string()),
            // The kubelet says the node's name here. Upstream: kubelet.go (nodeRef).
            resource_version: None,
            ..reference(node)
        };
        self.recorder.record(about, what.0, what.1, message);
    }
}
