//! JSON, with fields in the order in which Go writes them.

use super::super::negotiate::Form;
use super::super::quantity;
use super::{Include, Item, Kind, Used, Writer};
use jiff::Timestamp;
use std::io::Write;
use units::Duration;
use usage::Usage;
use usage::rate::NEVER;

/// One answer.
pub(super) struct Json {
    out: Vec<u8>,
    kind: Kind,
    form: Form,
    /// What a table's rows carry: `None`, `Metadata` or `Object`.
    include: Include,
    /// When the objects count as made: now. Upstream does so, too.
    created: String,
    items: usize,
}

const COLUMNS: &str = r#""columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"Name of the resource","priority":0},{"name":"cpu","type":"string","format":"quantity","description":"","priority":0},{"name":"memory","type":"string","format":"quantity","description":"","priority":0},{"name":"Window","type":"string","format":"duration","description":"","priority":0}],"rows":["#;

impl Json {
    pub(super) fn new(kind: Kind, form: Form, include: Include, now: Timestamp) -> Self {
        let created = seconds(now);
        Self {
            out: Vec::with_capacity(1024),
            kind,
            form,
            include,
            created,
            items: 0,
        }
    }

    /// How much is written.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// What is written until now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Begins a watch event; its object follows.
    pub(super) fn begin_event(&mut self, kind: &str) {
        let _ = write!(self.out, "{{\"type\":\"{kind}\",\"object\":");
        self.items = 0;
    }

    pub(super) fn end_event(&mut self) {
        self.text("}\n");
    }

    /// An object that says only how far a watch has come. Upstream: metav1.InitialEventsAnnotationKey.
    pub(super) fn bookmark(&mut self, version: u64, first: bool) {
        let (kind, api_version) = match self.form {
            Form::Objects | Form::Discovery => (self.kind.name(), "metrics.k8s.io/v1beta1"),
            Form::Metadata(version) => ("PartialObjectMetadata", version),
            Form::Table(version) => ("Table", version),
        };
        self.head(kind, api_version);
        let _ = write!(self.out, r#""metadata":{{"resourceVersion":"{version}""#);
        if first {
            self.text(r#","annotations":{"k8s.io/initial-events-end":"true"}"#);
        }
        self.text("}}");
    }

    fn row(&mut self, item: &Item<'_>, version: &str) {
        self.text(r#"{"cells":["#);
        self.string(item.name);
        let (cpu, memory) = item.sum();
        self.text(",\"");
        quantity::nanos(&mut self.out, cpu);
        self.text("\",\"");
        quantity::bytes(&mut self.out, memory);
        let _ = write!(
            self.out,
            "\",\"{}\"],\"object\":",
            Duration::from_nanos(item.window)
        );
        match self.include {
            Include::Nothing => self.text("null"),
            Include::Metadata => self.partial(item, version),
            Include::Object => {
                self.head(self.kind.name(), "metrics.k8s.io/v1beta1");
                self.object(item);
            }
        }
        self.text("}");
    }

    fn partial(&mut self, item: &Item<'_>, version: &str) {
        self.head("PartialObjectMetadata", version);
        self.metadata(item);
        self.text("}");
    }

    /// Everything after kind and version.
    fn object(&mut self, item: &Item<'_>) {
        self.metadata(item);
        let _ = match i64::checked_div(item.at, 1_000_000_000) {
            Some(at) if item.at != NEVER => {
                let at = Timestamp::from_second(at).unwrap_or_default();
                write!(self.out, ",\"timestamp\":\"{at}\"")
            }
            _ => write!(self.out, ",\"timestamp\":null"),
        };
        let _ = write!(
            self.out,
            ",\"window\":\"{}\",",
            Duration::from_nanos(item.window)
        );
        match item.used {
            Used::Node(usage) => {
                self.usage(usage);
                self.text("}");
            }
            Used::Pod(containers) => {
                self.text(r#""containers":["#);
                for (index, (name, usage)) in containers.iter().enumerate() {
                    self.text(if index == 0 {
                        r#"{"name":"#
                    } else {
                        r#",{"name":"#
                    });
                    self.string(name);
                    self.text(",");
                    self.usage(usage);
                    self.text("}");
                }
                self.text("]}");
            }
        }
    }

    fn metadata(&mut self, item: &Item<'_>) {
        self.text(r#""metadata":{"name":"#);
        self.string(item.name);
        if !item.namespace.is_empty() {
            self.text(r#","namespace":"#);
            self.string(item.namespace);
        }
        let _ = write!(self.out, ",\"creationTimestamp\":\"{}\"", self.created);
        if !item.labels.is_empty() {
            for (index, (key, value)) in item.labels.iter().enumerate() {
                self.text(if index == 0 { r#","labels":{"# } else { "," });
                self.string(key);
                self.text(":");
                self.string(value);
            }
            self.text("}");
        }
        self.text("}");
    }

    fn usage(&mut self, usage: &Usage) {
        self.text(r#""usage":{"cpu":""#);
        quantity::nanos(&mut self.out, usage.cpu_nanocores);
        self.text(r#"","memory":""#);
        quantity::bytes(&mut self.out, usage.memory_bytes);
        self.text(r#""}"#);
    }

    fn head(&mut self, kind: &str, version: &str) {
        let _ = write!(
            self.out,
            "{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\","
        );
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A JSON string. Writing to memory does not fail.
    fn string(&mut self, text: &str) {
        let _ = serde_json::to_writer(&mut self.out, text);
    }
}

impl Writer for Json {
    fn finish(mut self: Box<Self>) -> Vec<u8> {
        self.out.push(b'\n');
        self.out
    }

    fn begin_list(&mut self) {
        match self.form {
            Form::Objects | Form::Discovery => {
                self.head(
                    &format!("{}List", self.kind.name()),
                    "metrics.k8s.io/v1beta1",
                );
                self.text(r#""metadata":{},"items":["#);
            }
            Form::Metadata(version) => {
                self.head("PartialObjectMetadataList", version);
                self.text(r#""metadata":{},"items":["#);
            }
            Form::Table(version) => {
                self.head("Table", version);
                self.text(r#""metadata":{},"#);
            }
        }
    }

    fn item(&mut self, item: &Item<'_>) {
        match (self.form, self.items) {
            (Form::Table(_), 0) => self.text(COLUMNS),
            (_, 0) => {}
            _ => self.text(","),
        }
        self.items += 1;
        match self.form {
            Form::Objects | Form::Discovery => {
                self.text("{");
                self.object(item);
            }
            Form::Metadata(version) => self.partial(item, version),
            Form::Table(version) => self.row(item, version),
        }
    }

    fn end_list(&mut self) {
        match (self.form, self.items) {
            // Upstream knows its columns from the first object; Go writes none as null.
            (Form::Table(_), 0) => self.text(r#""columnDefinitions":null,"rows":null}"#),
            _ => self.text("]}"),
        }
    }

    fn one(&mut self, item: &Item<'_>) {
        match self.form {
            Form::Objects | Form::Discovery => {
                self.head(self.kind.name(), "metrics.k8s.io/v1beta1");
                self.object(item);
            }
            Form::Metadata(version) => self.partial(item, version),
            Form::Table(_) => {
                self.begin_list();
                self.item(item);
                self.end_list();
            }
        }
    }
}

/// RFC 3339 without fractions, as metav1.Time is written.
fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second())
        .unwrap_or_default()
        .to_string()
}
