//! Events about autoscalers, counted where they repeat.
//!
//! Upstream: client-go/tools/record (v0.36): event.go, events_cache.go. The controller does not wait for them.

use crate::errors::{Error, request};
use crate::reconcile::names;
use hpa::{Event, EventKind};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event as EventObject, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client};
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Upstream: NewRecorder's component.
const COMPONENT: &str = "horizontal-pod-autoscaler";
/// Events that wait to be written; more are dropped, as upstream drops them.
const QUEUE: usize = 1_000;
/// Events and autoscalers that are remembered. Upstream: maxLruCacheEntries.
const REMEMBERED: usize = 4_096;
/// How many events an autoscaler may have at once, and how often one more.
/// Upstream: defaultSpamBurst, defaultSpamQPS.
const BURST: f64 = 25.0;
const SECONDS_PER_EVENT: f64 = 300.0;

/// An event about an autoscaler.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Note {
    namespace: String,
    name: String,
    uid: String,
    resource_version: String,
    kind: &'static str,
    reason: &'static str,
    message: String,
}

/// Where the controller leaves its events.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(mpsc::Sender<Note>);

impl Recorder {
    pub(crate) fn new(client: Client) -> (Self, Scribe) {
        let (send, notes) = mpsc::channel(QUEUE);
        (
            Self(send),
            Scribe {
                client,
                notes,
                seen: Remembered::default(),
                allowances: Remembered::default(),
            },
        )
    }

    pub(crate) fn record(&self, object: &HorizontalPodAutoscaler, event: Event) {
        let (namespace, name) = names(object);
        let note = Note {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
            kind: match event.kind {
                EventKind::Normal => "Normal",
                EventKind::Warning => "Warning",
            },
            reason: event.reason,
            message: event.message,
        };
        if self.0.try_send(note).is_err() {
            debug!(
                namespace,
                name, "dropped an event: too many wait to be written"
            );
        }
    }
}

/// Writes events, one after the other.
pub(crate) struct Scribe {
    client: Client,
    notes: mpsc::Receiver<Note>,
    /// The event's name and count, by what it says.
    seen: Remembered<Note, (String, i32)>,
    /// How many more events an autoscaler may have, and since when, by its uid.
    allowances: Remembered<String, (f64, Instant)>,
}

impl Scribe {
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let note = tokio::select! {
                () = shutdown.cancelled() => return,
                note = self.notes.recv() => note,
            };
            let Some(note) = note else { return };
            if !self.allowed(&note) {
                continue;
            }
            if let Err(error) = self.write(&note).await {
                let (namespace, name, reason) = (&note.namespace, &note.name, note.reason);
                warn!(namespace, name, reason, %error, "could not write an event");
            }
        }
    }

    /// Upstream: EventSourceObjectSpamFilter.
    fn allowed(&mut self, note: &Note) -> bool {
        let now = Instant::now();
        let (left, since) = self
            .allowances
            .get(&note.uid)
            .copied()
            .unwrap_or((BURST, now));
        let earned = now.duration_since(since).as_secs_f64() / SECONDS_PER_EVENT;
        let left = (left + earned).min(BURST);
        let allowed = left >= 1.0;
        let left = if allowed { left - 1.0 } else { left };
        self.allowances.put(note.uid.clone(), (left, now));
        allowed
    }

    async fn write(&mut self, note: &Note) -> Result<(), Error> {
        // The same event about another version of the object is the same event.
        let mut key = note.clone();
        key.resource_version.clear();
        let api: Api<EventObject> = Api::namespaced(self.client.clone(), &note.namespace);
        let now = runtime::clock::now();
        if let Some((name, count)) = self.seen.get(&key).cloned() {
            let again =
                json!({"count": count + 1, "lastTimestamp": Time(now), "message": note.message});
            let patch = Patch::Strategic(&again);
            match request(
                "patch events",
                api.patch(&name, &PatchParams::default(), &patch),
            )
            .await
            {
                Ok(_) => {
                    self.seen.put(key, (name, count + 1));
                    return Ok(());
                }
                // It expired or was deleted: begin anew.
                Err(error) if error.code() == Some(404) => {}
                Err(error) => return Err(error),
            }
        }
        let event = event_object(note, now);
        let name = event.metadata.name.clone().unwrap_or_default();
        request("post events", api.create(&PostParams::default(), &event)).await?;
        self.seen.put(key, (name, 1));
        Ok(())
    }
}

fn event_object(note: &Note, now: jiff::Timestamp) -> EventObject {
    EventObject {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}", note.name, now.as_nanosecond())),
            namespace: Some(note.namespace.clone()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("autoscaling/v2".to_owned()),
            kind: Some("HorizontalPodAutoscaler".to_owned()),
            namespace: Some(note.namespace.clone()),
            name: Some(note.name.clone()),
            uid: Some(note.uid.clone()),
            resource_version: Some(note.resource_version.clone()),
            field_path: None,
        },
        type_: Some(note.kind.to_owned()),
        reason: Some(note.reason.to_owned()),
        message: Some(note.message.clone()),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            host: None,
        }),
        reporting_component: Some(COMPONENT.to_owned()),
        reporting_instance: Some(String::new()),
        ..EventObject::default()
    }
}

/// A map that forgets its oldest entries.
#[derive(Debug)]
struct Remembered<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + std::hash::Hash, V> Remembered<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    fn put(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
    }
}
