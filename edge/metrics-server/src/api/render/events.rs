//! Watch events, one a line, as JSON.

use super::super::negotiate::Form;
use super::json::Json;
use super::{Include, Item, Kind, Writer as _};
use bytes::Bytes;
use jiff::Timestamp;

/// A frame is sent when it is as long as this.
const FRAME: usize = 128 * 1024;

/// Events in the making.
pub(in crate::api) struct Events {
    json: Json,
    frames: Vec<Bytes>,
}

impl Events {
    /// Events about pods' metrics, whose objects count as made `now`.
    pub(in crate::api) fn new(form: Form, include: Include, now: Timestamp) -> Self {
        Self {
            json: Json::new(Kind::Pod, form, include, now),
            frames: Vec::new(),
        }
    }

    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(in crate::api) fn event(&mut self, kind: &str, item: &Item<'_>) {
        self.json.begin_event(kind);
        self.json.one(item);
        self.json.end_event();
        if self.json.len() >= FRAME {
            self.flush();
        }
    }

    /// All that is there until now was sent; `first` after what was there at the beginning.
    pub(in crate::api) fn bookmark(&mut self, version: u64, first: bool) {
        self.json.begin_event("BOOKMARK");
        self.json.bookmark(version, first);
        self.json.end_event();
    }

    fn flush(&mut self) {
        let written = self.json.take();
        if !written.is_empty() {
            self.frames.push(written.into());
        }
    }

    pub(in crate::api) fn finish(mut self) -> Vec<Bytes> {
        self.flush();
        self.frames
    }
}
