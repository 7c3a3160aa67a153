//! An object as it is stored: its JSON, ready to be sent, and what filters need to know of it.

use bytes::Bytes;
use serde_json::{Map, Value};

/// Fields that watches and lists often select by, kept beside the JSON.
const SELECTED: [(&str, &[&str]); 2] = [
    ("Pod", &["spec.nodeName", "status.phase"]),
    (
        "Event",
        &[
            "involvedObject.name",
            "involvedObject.kind",
            "involvedObject.uid",
        ],
    ),
];

/// What is known of an object without parsing it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Meta {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) uid: Box<str>,
    pub(crate) labels: Box<[(Box<str>, Box<str>)]>,
    /// Whether it is being deleted.
    pub(crate) going: bool,
    /// Selectable fields of the kinds in [`SELECTED`].
    pub(crate) fields: Box<[(&'static str, Box<str>)]>,
}

/// An object that has no resource version yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    head: Vec<u8>,
    tail: Vec<u8>,
    metadata_start: u32,
    /// Counted in `tail`.
    metadata_end: u32,
    meta: Meta,
}

/// An object with its resource version.
#[derive(Debug)]
pub(crate) struct Stored {
    bytes: Bytes,
    /// Where the digits of the resource version are.
    version: std::ops::Range<u32>,
    /// Where the value of `metadata` is.
    metadata: std::ops::Range<u32>,
    pub(crate) revision: u64,
    pub(crate) meta: Meta,
}

impl objects::Weigh for Stored {
    fn weight(&self) -> usize {
        self.bytes.len() + 256
    }
}

impl Draft {
    /// Encodes an object; what it says of a resource version is left out.
    pub(crate) fn new(object: &Value) -> Self {
        let empty = Map::new();
        let object = object.as_object().unwrap_or(&empty);
        let metadata = object
            .get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let mut head = Vec::with_capacity(128);
        head.push(b'{');
        for key in ["apiVersion", "kind"] {
            if let Some(value) = object.get(key) {
                member(&mut head, key, value);
                head.push(b',');
            }
        }
        head.extend_from_slice(b"\"metadata\":");
        let metadata_start = offset(head.len());
        head.extend_from_slice(b"{\"resourceVersion\":\"");
        let mut tail = Vec::with_capacity(1024);
        tail.push(b'"');
        for (key, value) in metadata.iter().filter(|(key, _)| *key != "resourceVersion") {
            tail.push(b',');
            member(&mut tail, key, value);
        }
        tail.push(b'}');
        let metadata_end = offset(tail.len());
        let shown = ["apiVersion", "kind", "metadata"];
        for (key, value) in object
            .iter()
            .filter(|(key, _)| !shown.contains(&key.as_str()))
        {
            tail.push(b',');
            member(&mut tail, key, value);
        }
        tail.push(b'}');
        let meta = Meta::of(object, metadata);
        Self {
            head,
            tail,
            metadata_start,
            metadata_end,
            meta,
        }
    }

    /// The object at a revision.
    pub(crate) fn seal(&self, revision: u64) -> Stored {
        let digits = revision.to_string();
        let mut bytes = Vec::with_capacity(self.head.len() + digits.len() + self.tail.len());
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(digits.as_bytes());
        bytes.extend_from_slice(&self.tail);
        let start = offset(self.head.len());
        let end = start + offset(digits.len());
        Stored {
            bytes: bytes.into(),
            version: start..end,
            metadata: self.metadata_start..end + self.metadata_end,
            revision,
            meta: self.meta.clone(),
        }
    }
}

impl Stored {
    /// The JSON.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The object, parsed.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The JSON of `metadata`.
    pub(crate) fn metadata(&self) -> &[u8] {
        &self.bytes[self.metadata.start as usize..self.metadata.end as usize]
    }

    /// The same object with another resource version, as a deletion shows it.
    pub(crate) fn at(&self, revision: u64) -> Self {
        let (start, end) = (self.version.start as usize, self.version.end as usize);
        let draft = Draft {
            head: self.bytes[..start].to_vec(),
            tail: self.bytes[end..].to_vec(),
            metadata_start: self.metadata.start,
            metadata_end: self.metadata.end - self.version.end,
            meta: self.meta.clone(),
        };
        draft.seal(revision)
    }
}

impl Meta {
    fn of(object: &Map<String, Value>, metadata: &Map<String, Value>) -> Self {
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or("")
                .into()
        };
        let labels = metadata.get("labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        let labels =
            labels.map(|(key, value)| (key.as_str().into(), value.as_str().unwrap_or("").into()));
        Self {
            namespace: text("namespace"),
            name: text("name"),
            uid: text("uid"),
            labels: labels.collect(),
            going: metadata
                .get("deletionTimestamp")
                .is_some_and(Value::is_string),
            fields: selected(object),
        }
    }

    /// The value of a label.
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| &**value)
    }
}

fn selected(object: &Map<String, Value>) -> Box<[(&'static str, Box<str>)]> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or("");
    let paths = SELECTED
        .iter()
        .find(|(of, _)| *of == kind)
        .map_or(&[][..], |(_, paths)| paths);
    let found = paths.iter().map(|path| {
        let mut steps = path.split('.');
        let first = steps.next().and_then(|step| object.get(step));
        let last = steps.fold(first, |value, step| value?.get(step));
        (*path, last.and_then(Value::as_str).unwrap_or("").into())
    });
    found.collect()
}

fn member(out: &mut Vec<u8>, key: &str, value: &Value) {
    // Writing JSON of a `Value` into memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, key);
    out.push(b':');
    let _ = serde_json::to_writer(&mut *out, value);
}

/// Bodies are at most 3 MiB, far below 4 GiB.
fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
