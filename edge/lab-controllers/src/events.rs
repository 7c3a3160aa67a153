//! Events, counted where they repeat, written behind the controllers' backs.
//!
//! Upstream: client-go/tools/record (v1.36): event.go, events_cache.go.

use crate::engine::Error;
use crate::meta::{self, stamp};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client, Resource};
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use tokio::sync::mpsc;
use tracing::debug;

/// Events that wait to be written; more are dropped, as upstream drops them.
const QUEUE_LENGTH: usize = 1000;
/// Events that are remembered so that a repetition is counted. Upstream: maxLruCacheEntries.
const REMEMBERED: usize = 4096;

/// Tells users what a controller did.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    send: mpsc::Sender<Note>,
}

/// One event to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Note {
    about: Subject,
    kind: &'static str,
    reason: &'static str,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Subject {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
    uid: String,
    resource_version: String,
}

impl Recorder {
    /// The recorder of `component`, and the task that writes.
    pub(crate) fn new(
        component: &'static str,
        client: Client,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (send, receive) = mpsc::channel(QUEUE_LENGTH);
        let scribe = Scribe {
            component,
            client,
            seen: Seen::default(),
        };
        (Self { send }, scribe.run(receive))
    }

    /// Something as it should be.
    pub(crate) fn normal<K>(&self, object: &K, reason: &'static str, message: impl Into<String>)
    where
        K: Resource<DynamicType = ()>,
    {
        self.note(object, "Normal", reason, message.into());
    }

    /// Something that a user should look at.
    pub(crate) fn warning<K>(&self, object: &K, reason: &'static str, message: impl Into<String>)
    where
        K: Resource<DynamicType = ()>,
    {
        self.note(object, "Warning", reason, message.into());
    }

    fn note<K>(&self, object: &K, kind: &'static str, reason: &'static str, message: String)
    where
        K: Resource<DynamicType = ()>,
    {
        let about = Subject {
            api_version: K::api_version(&()).into_owned(),
            kind: K::kind(&()).into_owned(),
            namespace: meta::namespace(object).to_owned(),
            name: meta::name(object).to_owned(),
            uid: meta::uid(object).to_owned(),
            resource_version: object.meta().resource_version.clone().unwrap_or_default(),
        };
        if self
            .send
            .try_send(Note {
                about,
                kind,
                reason,
                message,
            })
            .is_err()
        {
            debug!(reason, "dropped an event: too many wait to be written");
        }
    }
}

/// What was written lately.
#[derive(Default)]
struct Seen {
    counts: HashMap<Note, (String, i32)>,
    order: VecDeque<Note>,
}

impl Seen {
    fn remember(&mut self, note: Note, name: String, count: i32) {
        if self.counts.insert(note.clone(), (name, count)).is_none() {
            self.order.push_back(note);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
    }
}

struct Scribe {
    component: &'static str,
    client: Client,
    seen: Seen,
}

impl Scribe {
    async fn run(mut self, mut receive: mpsc::Receiver<Note>) {
        while let Some(note) = receive.recv().await {
            if let Err(error) = self.write(&note, runtime::clock::now()).await {
                debug!(component = self.component, %error, "could not write an event");
            }
        }
    }

    fn api(&self, note: &Note) -> Api<Event> {
        Api::namespaced(self.client.clone(), event_namespace(&note.about))
    }

    async fn write(&mut self, note: &Note, now: Timestamp) -> Result<(), Error> {
        let mut key = note.clone();
        key.about.resource_version.clear();
        if let Some((name, count)) = self.seen.counts.get(&key).cloned() {
            let patch =
                json!({"count": count + 1, "lastTimestamp": stamp(now), "message": note.message});
            let patch = Patch::Strategic(&patch);
            match self
                .api(note)
                .patch(&name, &PatchParams::default(), &patch)
                .await
            {
                Ok(_) => {
                    self.seen.remember(key, name, count + 1);
                    return Ok(());
                }
                // It expired or was deleted: begin anew.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error.into()),
            }
        }
        let event = event(self.component, note, now);
        let name = event.metadata.name.clone().unwrap_or_default();
        self.api(note)
            .create(&PostParams::default(), &event)
            .await?;
        self.seen.remember(key, name, 1);
        Ok(())
    }
}

/// Events about cluster-scoped objects live in `default`.
fn event_namespace(about: &Subject) -> &str {
    if about.namespace.is_empty() {
        "default"
    } else {
        &about.namespace
    }
}

fn event(component: &str, note: &Note, now: Timestamp) -> Event {
    let about = &note.about;
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}", about.name, now.as_nanosecond())),
            namespace: Some(event_namespace(about).to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(about.api_version.clone()),
            kind: Some(about.kind.clone()),
            namespace: Some(about.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            name: Some(about.name.clone()),
            uid: Some(about.uid.clone()),
            resource_version: Some(about.resource_version.clone()),
            field_path: None,
        },
        type_: Some(note.kind.to_owned()),
        reason: Some(note.reason.to_owned()),
        message: Some(note.message.clone()),
        count: Some(1),
        first_timestamp: Some(stamp(now)),
        last_timestamp: Some(stamp(now)),
        source: Some(EventSource {
            component: Some(component.to_owned()),
            host: None,
        }),
        reporting_component: Some(component.to_owned()),
        reporting_instance: Some(String::new()),
        ..Event::default()
    }
}
