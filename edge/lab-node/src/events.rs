//! Events about pods and the node: written in the background, repeated ones counted.
//!
//! Upstream: client-go/tools/record. A full queue drops events, as upstream does.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, Node, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events waiting to be written.
const QUEUE: usize = 1_000;
/// Events whose repetition is noticed.
const REMEMBERED: usize = 4_096;
/// How long writing one may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `Normal` or `Warning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    uid: String,
    path: String,
    kind: Kind,
    reason: &'static str,
    message: String,
}

struct Happened {
    key: Key,
    about: ObjectReference,
    at: Timestamp,
}

/// Writes events; clones share the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Happened>,
    node: Arc<str>,
}

impl std::fmt::Debug for Happened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.key)
    }
}

impl Recorder {
    /// A recorder for the kubelet of `node`.
    pub fn new(client: Client, node: &str) -> Self {
        let (queue, received) = mpsc::channel(QUEUE);
        let source = EventSource {
            component: Some("kubelet".to_owned()),
            host: Some(node.to_owned()),
        };
        tokio::spawn(write_all(client, source, received));
        Self {
            queue,
            node: node.into(),
        }
    }

    /// Something happened to a pod, or to the container at `path` (`spec.containers{app}`).
    pub fn pod(&self, pod: &Pod, path: Option<&str>, what: (Kind, &'static str), message: &str) {
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            uid: pod.metadata.uid.clone(),
            resource_version: pod.metadata.resource_version.clone(),
            field_path: path.map(str::to_owned),
        };
        self.send(about, what, message);
    }

    /// Something happened to the node.
    pub fn node(&self, node: &Node, what: (Kind, &'static str), message: &str) {
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(self.node.to_string()),
            // The kubelet says the node's name here. Upstream: kubelet.go (nodeRef).
            uid: node.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        self.send(about, what, message);
    }

    fn send(&self, about: ObjectReference, (kind, reason): (Kind, &'static str), message: &str) {
        let key = Key {
            uid: about.uid.clone().unwrap_or_default(),
            path: about.field_path.clone().unwrap_or_default(),
            kind,
            reason,
            message: message.to_owned(),
        };
        let happened = Happened {
            key,
            about,
            at: runtime::clock::now(),
        };
        if self.queue.try_send(happened).is_err() {
            tracing::debug!(reason, message, "event dropped");
        }
    }
}

/// What is known about an event that was written.
struct Written {
    name: String,
    namespace: String,
    count: i32,
}

async fn write_all(client: Client, source: EventSource, mut received: mpsc::Receiver<Happened>) {
    let mut written: BTreeMap<Key, Written> = BTreeMap::new();
    while let Some(happened) = received.recv().await {
        let done = tokio::time::timeout(TIMEOUT, write(&client, &source, &mut written, happened));
        match done.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "event not written"),
            Err(_) => tracing::debug!("event not written in {TIMEOUT:?}"),
        }
        while written.len() > REMEMBERED {
            written.pop_first();
        }
    }
}

async fn write(
    client: &Client,
    source: &EventSource,
    written: &mut BTreeMap<Key, Written>,
    happened: Happened,
) -> kube::Result<()> {
    if let Some(known) = written.get_mut(&happened.key) {
        known.count += 1;
        let api: Api<Event> = Api::namespaced(client.clone(), &known.namespace);
        let patch = json!({"count": known.count, "lastTimestamp": Time(happened.at)});
        let result = api
            .patch(&known.name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        match result {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            other => return other.map(drop),
        }
    }
    let event = event(source, &happened);
    let namespace = event.metadata.namespace.clone().unwrap_or_default();
    let name = event.metadata.name.clone().unwrap_or_default();
    let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
    api.create(&PostParams::default(), &event).await?;
    written.insert(
        happened.key,
        Written {
            name,
            namespace,
            count: 1,
        },
    );
    Ok(())
}

fn event(source: &EventSource, happened: &Happened) -> Event {
    let about = &happened.about;
    let namespace = about
        .namespace
        .clone()
        .unwrap_or_else(|| "default".to_owned());
    let name = about.name.as_deref().unwrap_or_default();
    let kind = if happened.key.kind == Kind::Normal {
        "Normal"
    } else {
        "Warning"
    };
    let time = Time(happened.at);
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}", happened.at.as_nanosecond())),
            namespace: Some(namespace),
            ..ObjectMeta::default()
        },
        involved_object: about.clone(),
        type_: Some(kind.to_owned()),
        reason: Some(happened.key.reason.to_owned()),
        message: Some(happened.key.message.clone()),
        source: Some(source.clone()),
        reporting_component: Some("kubelet".to_owned()),
        reporting_instance: source.host.clone(),
        first_timestamp: Some(time.clone()),
        last_timestamp: Some(time),
        count: Some(1),
        ..Event::default()
    }
}
