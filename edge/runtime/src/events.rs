//! Events, counted where they repeat, written behind their authors' backs.
//!
//! Upstream: client-go/tools/record (v0.36): event.go, events_cache.go. Events that come faster than
//! they can be written, or too often about one object, are dropped, as upstream drops them.

mod remembered;
mod similar;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client, Resource};
use remembered::Remembered;
use serde_json::json;
use similar::{Similar, combined};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

/// Events that wait to be written. Upstream: queueLength and maxQueuedEvents.
const QUEUE: usize = 1_000;
/// How many events an object may have at once, and how often one more.
/// Upstream: defaultSpamBurst, defaultSpamQPS.
const BURST: f64 = 25.0;
const SECONDS_PER_EVENT: f64 = 300.0;
/// How long writing one may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What an event is about, as events refer to it.
pub fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    ObjectReference {
        resource_version: object.meta().resource_version.clone(),
        ..object.object_ref(&())
    }
}

/// Whether somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

/// One event to be.
#[derive(Debug)]
struct Note {
    about: ObjectReference,
    kind: Kind,
    reason: &'static str,
    message: String,
    at: Timestamp,
}

/// Where events are left; clones share the queue.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Note>);

impl Recorder {
    /// A recorder for `source`, and what writes its events.
    pub fn new(client: Client, source: EventSource) -> (Self, Scribe) {
        let (send, notes) = mpsc::channel(QUEUE);
        let scribe = Scribe {
            client,
            source,
            notes,
            written: Remembered::default(),
            similar: Similar::default(),
            allowances: Remembered::default(),
        };
        (Self(send), scribe)
    }

    /// Something as it should be.
    pub fn normal<K>(&self, object: &K, reason: &'static str, message: impl Into<String>)
    where
        K: Resource<DynamicType = ()>,
    {
        self.record(reference(object), Kind::Normal, reason, message);
    }

    /// Something that a user should look at.
    pub fn warning<K>(&self, object: &K, reason: &'static str, message: impl Into<String>)
    where
        K: Resource<DynamicType = ()>,
    {
        self.record(reference(object), Kind::Warning, reason, message);
    }

    /// Something about whatever `about` refers to.
    pub fn record(
        &self,
        about: ObjectReference,
        kind: Kind,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        let note = Note {
            about,
            kind,
            reason,
            message: message.into(),
            at: crate::clock::now(),
        };
        if self.0.try_send(note).is_err() {
            debug!(reason, "dropped an event: too many wait to be written");
        }
    }
}

/// An event as it is in the cluster.
#[derive(Debug, Clone, Default)]
struct Written {
    /// Once it was created.
    name: Option<String>,
    count: i32,
}

/// Writes events, one after the other.
#[must_use = "what nobody runs writes nothing"]
pub struct Scribe {
    client: Client,
    source: EventSource,
    notes: mpsc::Receiver<Note>,
    /// By what they say.
    written: Remembered<Written>,
    similar: Similar,
    /// How many more events an object may have, and since when.
    allowances: Remembered<(f64, Instant)>,
}

impl std::fmt::Debug for Scribe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scribe")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Scribe {
    /// Writes until the last recorder is gone.
    pub async fn run(mut self) {
        while let Some(mut note) = self.notes.recv().await {
            let key = self.key(&mut note);
            // Counted even if it is not written: the next one that is tells of it.
            self.written.entry(&key).count += 1;
            if !self.allowed(&note) {
                continue;
            }
            let reason = note.reason;
            match timeout(TIMEOUT, self.write(&note, key)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if is_ending(&error) => {
                    debug!(reason, %error, "dropped an event: its namespace ends");
                }
                Ok(Err(error)) => warn!(reason, %error, "could not write an event"),
                Err(_) => warn!(reason, "could not write an event in {TIMEOUT:?}"),
            }
        }
    }

    /// Upstream: EventSourceObjectSpamFilter.
    fn allowed(&mut self, note: &Note) -> bool {
        let now = Instant::now();
        let key = note.object();
        let (left, since) = self.allowances.get(&key).copied().unwrap_or((BURST, now));
        let earned = now.duration_since(since).as_secs_f64() / SECONDS_PER_EVENT;
        let left = (left + earned).min(BURST);
        let allowed = left >= 1.0;
        let left = if allowed { left - 1.0 } else { left };
        self.allowances.put(key, (left, now));
        allowed
    }

    /// What the note is counted with; a note that is one of too many says so.
    fn key(&mut self, note: &mut Note) -> String {
        let group = note.group();
        if self.similar.too_many(&group, &note.message, note.at) {
            note.message = combined(&note.message);
            return group;
        }
        [&group, note.message.as_str()].join("\0")
    }

    async fn write(&mut self, note: &Note, key: String) -> kube::Result<()> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), note.namespace());
        let Written { name, count } = self.written.entry(&key).clone();
        if let Some(name) = name {
            let again =
                json!({"count": count, "lastTimestamp": Time(note.at), "message": note.message});
            let patch = Patch::Strategic(&again);
            match api.patch(&name, &PatchParams::default(), &patch).await {
                Ok(_) => return Ok(()),
                // It expired or was deleted: begin anew.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        let event = event(&self.source, note, count);
        api.create(&PostParams::default(), &event).await?;
        self.written.entry(&key).name = event.metadata.name;
        Ok(())
    }
}

impl Note {
    /// Events about cluster-scoped objects live in `default`.
    fn namespace(&self) -> &str {
        match self.about.namespace.as_deref() {
            None | Some("") => "default",
            Some(namespace) => namespace,
        }
    }

    /// Upstream: getSpamKey.
    fn object(&self) -> String {
        let about = &self.about;
        joined(&[
            &about.api_version,
            &about.kind,
            &about.namespace,
            &about.name,
            &about.uid,
        ])
    }

    /// All but what it says, and the object's version. Upstream: EventAggregatorByReasonFunc, getEventKey.
    fn group(&self) -> String {
        let kind = self.kind.text();
        let path = self.about.field_path.as_deref().unwrap_or_default();
        [&self.object(), path, kind, self.reason].join("\0")
    }
}

fn joined(texts: &[&Option<String>]) -> String {
    let texts: Vec<&str> = texts
        .iter()
        .map(|text| text.as_deref().unwrap_or_default())
        .collect();
    texts.join("\0")
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Whether nothing more is made in the namespace. Upstream: recordEvent, NamespaceTerminatingCause.
fn is_ending(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status)
        if status.code == 403 && status.message.contains("because it is being terminated"))
}

/// Upstream: recorderImpl.makeEvent.
fn event(source: &EventSource, note: &Note, count: i32) -> Event {
    let name = note.about.name.as_deref().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}", note.at.as_nanosecond())),
            namespace: Some(note.namespace().to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: note.about.clone(),
        type_: Some(note.kind.text().to_owned()),
        reason: Some(note.reason.to_owned()),
        message: Some(note.message.clone()),
        count: Some(count),
        first_timestamp: Some(Time(note.at)),
        last_timestamp: Some(Time(note.at)),
        source: Some(source.clone()),
        reporting_component: source.component.clone(),
        reporting_instance: Some(source.host.clone().unwrap_or_default()),
        ..Event::default()
    }
}
