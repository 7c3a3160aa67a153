//! Watches: changes of a collection as a stream of JSON lines.
//!
//! A watch has no queue of its own: it remembers the last revision it has sent and reads on from
//! the store's history when it is woken and the client takes more. One that falls behind further
//! than the history reaches is told so (410) and ends; it costs nobody else memory.
//!
//! Upstream: apiserver/pkg/storage/cacher, endpoints/handlers/watch.go.

use crate::backend::Payload;
use crate::body::{JSON, Reply, streamed, typed};
use crate::call::Call;
use crate::filter::Filter;
use crate::negotiate::Form;
use crate::verbs::read::{self, parse_version};
use crate::{kinds, render};
use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use http::StatusCode;
use k8s::status::ApiError;
use objects::Event;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Events that are read from the store at once.
const BATCH: usize = 256;
/// Between bookmarks. Upstream: cacher's bookmark frequency is about a minute.
const BOOKMARK: Duration = Duration::from_secs(60);
/// How long a watch lasts when the client does not say. Upstream: --min-request-timeout (1800 s, up to twice that).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// How many objects are put in one piece of the stream.
const PIECE: usize = 64 << 10;

/// Where a watch begins.
enum Start {
    /// After this revision.
    After(u64),
    /// With the objects that are there.
    Now,
}

struct Watch {
    call: Call,
    filter: Filter,
    /// Everything up to this revision has been sent.
    sent: u64,
    wake: tokio::sync::watch::Receiver<u64>,
    initial: VecDeque<Payload>,
    /// A bookmark that ends the initial events.
    announce_end: bool,
    bookmarks: bool,
    columns_sent: bool,
    deadline: Instant,
    next_bookmark: Instant,
    ended: bool,
}

/// Answers a watch.
pub(crate) fn watch(call: &Call) -> Reply {
    let filter = Filter::of(call)?;
    // Subscribed before anything is read, so that no change falls between.
    let wake = call.inner.backend.subscribe(&call.resource.collection);
    let now = Instant::now();
    let seconds = call
        .query
        .number("timeoutSeconds")
        .and_then(|s| u64::try_from(s).ok());
    let timeout = seconds
        .filter(|s| *s > 0)
        .map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let mut watch = Watch {
        call: call.clone(),
        filter,
        sent: 0,
        wake,
        initial: VecDeque::new(),
        announce_end: false,
        bookmarks: call.query.flag("allowWatchBookmarks"),
        columns_sent: false,
        deadline: now + timeout.min(2 * DEFAULT_TIMEOUT),
        next_bookmark: now + BOOKMARK,
        ended: false,
    };
    match start(call)? {
        Start::After(revision) => watch.sent = revision,
        Start::Now => watch.begin_with_state()?,
    }
    let pieces = stream::unfold(watch, |mut watch| async move {
        let piece = watch.next().await?;
        Some((piece, watch))
    });
    Ok(typed(StatusCode::OK, JSON, streamed(pieces)))
}

fn start(call: &Call) -> Result<Start, ApiError> {
    let initial = call
        .query
        .get("sendInitialEvents")
        .map(|_| call.query.flag("sendInitialEvents"));
    if initial.is_some() && call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        return Err(ApiError::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            &[k8s::status::FieldError::forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            )],
        ));
    }
    let version = call
        .query
        .get("resourceVersion")
        .map(parse_version)
        .transpose()?;
    Ok(match (initial, version) {
        (Some(true), _) | (None, None | Some(0)) => Start::Now,
        (Some(false), None | Some(0)) => Start::After(call.inner.backend.read().store.revision()),
        (_, Some(revision)) => Start::After(revision),
    })
}

impl Watch {
    fn begin_with_state(&mut self) -> Result<(), ApiError> {
        let (items, revision) = read::all_at(&self.call, &self.filter)?;
        self.initial = items.into();
        self.sent = revision;
        self.announce_end = self.call.query.flag("sendInitialEvents") && self.bookmarks;
        Ok(())
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended {
                return None;
            }
            let mut piece = BytesMut::new();
            self.fill(&mut piece);
            if !piece.is_empty() {
                return Some(piece.freeze());
            }
            self.wait().await;
        }
    }

    fn fill(&mut self, piece: &mut BytesMut) {
        while let Some(stored) = self.initial.pop_front() {
            self.put(piece, "ADDED", &stored);
            if piece.len() > PIECE {
                return;
            }
        }
        if std::mem::take(&mut self.announce_end) {
            self.put_bookmark(piece, true);
        }
        self.wake.mark_unchanged();
        let collection = &self.call.resource.collection;
        let due = self.bookmarks && Instant::now() >= self.next_bookmark;
        match self.call.inner.backend.since(collection, self.sent, BATCH) {
            Err(expired) => self.put_expired(piece, expired.oldest),
            Ok((events, revision)) => {
                for event in &events {
                    self.put_event(piece, event);
                    self.sent = event.revision;
                }
                if events.len() < BATCH {
                    self.sent = self.sent.max(revision);
                }
                if due {
                    self.next_bookmark = Instant::now() + BOOKMARK;
                    self.put_bookmark(piece, false);
                }
            }
        }
    }

    async fn wait(&mut self) {
        let bookmark = if self.bookmarks {
            self.next_bookmark
        } else {
            self.deadline
        };
        tokio::select! {
            changed = self.wake.changed() => self.ended = changed.is_err(),
            () = tokio::time::sleep_until(bookmark.min(self.deadline)) => {}
            () = self.call.inner.shutdown.cancelled() => self.ended = true,
            () = self.call.resource.ended() => self.ended = true,
        }
        self.ended |= Instant::now() >= self.deadline;
    }

    fn put_event(&mut self, piece: &mut BytesMut, event: &Event<Payload>) {
        if !event.key.starts_with(&self.filter.prefix) {
            return;
        }
        let matching = |payload: &Option<Payload>| {
            payload.clone().filter(|stored| self.filter.matches(stored))
        };
        match (matching(&event.before), matching(&event.after)) {
            (None, Some(after)) => self.put(piece, "ADDED", &after),
            (Some(_), Some(after)) => self.put(piece, "MODIFIED", &after),
            (Some(before), None) => {
                // What is left of the object is its last state in the selection, at the version of its leaving.
                self.put(piece, "DELETED", &Payload::new(before.at(event.revision)));
            }
            (None, None) => {}
        }
    }

    fn put(&mut self, piece: &mut BytesMut, kind: &str, stored: &Payload) {
        let object = match self.call.form {
            Form::Table(version) => self.table(version, stored),
            form => render::item(&self.call.resource, form, stored),
        };
        if let Some(object) = object {
            put_line(piece, kind, &object);
        }
    }

    fn table(&mut self, version: &str, stored: &Payload) -> Option<Bytes> {
        let value = kinds::to_version(&self.call.resource, stored.value()).ok()?;
        // A watch lasts: ages in its rows count to now, not to its beginning.
        self.call.now = runtime::clock::now();
        let metadata = json!({"resourceVersion": stored.revision.to_string()});
        let first = !std::mem::replace(&mut self.columns_sent, true);
        let rows = vec![render::row(&self.call, &value)];
        Some(
            render::table(&self.call, version, metadata, rows, first)
                .to_string()
                .into(),
        )
    }

    fn put_bookmark(&mut self, piece: &mut BytesMut, ends_initial: bool) {
        let mut metadata =
            json!({"resourceVersion": self.sent.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let resource = &self.call.resource;
        let object = match self.call.form {
            Form::Object => json!({
                "kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata,
            }),
            Form::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            }),
            Form::Table(version) => {
                let object = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
                let rows = vec![json!({"cells": [], "object": object})];
                let metadata = json!({"resourceVersion": self.sent.to_string()});
                render::table(&self.call, version, metadata, rows, false)
            }
        };
        put_line(piece, "BOOKMARK", object.to_string().as_bytes());
    }

    fn put_expired(&mut self, piece: &mut BytesMut, oldest: u64) {
        let error = ApiError::expired(format!(
            "too old resource version: {} ({oldest})",
            self.sent
        ));
        let status: Value = error.to_status();
        put_line(piece, "ERROR", status.to_string().as_bytes());
        self.ended = true;
    }
}

fn put_line(piece: &mut BytesMut, kind: &str, object: &[u8]) {
    piece.reserve(object.len() + 40);
    piece.put_slice(b"{\"type\":\"");
    piece.put_slice(kind.as_bytes());
    piece.put_slice(b"\",\"object\":");
    piece.put_slice(object);
    piece.put_slice(b"}\n");
}
