//! Writes `NodeMetrics`, `PodMetrics`, their lists, tables and metadata as JSON, without a tree in between.
//!
//! Fields stand in the order in which Go writes them. Upstream: k8s.io/metrics/pkg/apis/metrics/v1beta1
//! and pkg/api/table.go.

use super::negotiate::Form;
use super::quantity;
use crate::cluster::{Labels, Node};
use jiff::Timestamp;
use std::io::Write;
use units::Duration;
use usage::rate::NEVER;
use usage::{PodUsage, Usage};

/// Which metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Pod,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Node => "NodeMetrics",
            Self::Pod => "PodMetrics",
        }
    }
}

/// One object to write.
pub(super) struct Item<'a> {
    namespace: &'a str,
    name: &'a str,
    labels: &'a Labels,
    at: i64,
    window: i64,
    used: Used<'a>,
}

enum Used<'a> {
    Node(&'a Usage),
    Pod(&'a [(&'a str, Usage)]),
}

impl<'a> Item<'a> {
    pub(super) fn node(node: &'a Node, usage: &'a Usage) -> Self {
        Self {
            namespace: "",
            name: &node.name,
            labels: &node.labels,
            at: usage.at,
            window: usage.window,
            used: Used::Node(usage),
        }
    }

    pub(super) fn pod(
        namespace: &'a str,
        name: &'a str,
        labels: &'a Labels,
        usage: &'a PodUsage<'a>,
    ) -> Self {
        let used = Used::Pod(&usage.containers);
        Self {
            namespace,
            name,
            labels,
            at: usage.at,
            window: usage.window,
            used,
        }
    }

    /// CPU and memory of all containers.
    fn sum(&self) -> (u64, u64) {
        let one = |usage: &Usage| (usage.cpu_nanocores, usage.memory_bytes);
        match self.used {
            Used::Node(usage) => one(usage),
            Used::Pod(containers) => containers.iter().fold((0, 0), |(cpu, memory), (_, usage)| {
                let (c, m) = one(usage);
                (cpu.saturating_add(c), memory.saturating_add(m))
            }),
        }
    }
}

/// One answer.
pub(super) struct Writer {
    out: Vec<u8>,
    kind: Kind,
    form: Form,
    /// What a table's rows carry: `None`, `Metadata` or `Object`.
    include: Include,
    /// When the objects count as made: now. Upstream does so, too.
    created: String,
    items: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

const COLUMNS: &str = r#""columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"Name of the resource","priority":0},{"name":"cpu","type":"string","format":"quantity","description":"","priority":0},{"name":"memory","type":"string","format":"quantity","description":"","priority":0},{"name":"Window","type":"string","format":"duration","description":"","priority":0}],"rows":["#;

impl Writer {
    pub(super) fn new(kind: Kind, form: Form, include: &str, now: Timestamp) -> Self {
        let include = match include {
            "None" => Include::Nothing,
            "Object" => Include::Object,
            _ => Include::Metadata,
        };
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

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'\n');
        self.out
    }

    /// Begins a list; items follow.
    pub(super) fn begin_list(&mut self) {
        match self.form {
            Form::Objects => {
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

    /// One object of a list.
    pub(super) fn item(&mut self, item: &Item<'_>) {
        match (self.form, self.items) {
            (Form::Table(_), 0) => self.text(COLUMNS),
            (_, 0) => {}
            _ => self.text(","),
        }
        self.items += 1;
        match self.form {
            Form::Objects => {
                self.text("{");
                self.object(item);
            }
            Form::Metadata(version) => self.partial(item, version),
            Form::Table(version) => self.row(item, version),
        }
    }

    pub(super) fn end_list(&mut self) {
        match (self.form, self.items) {
            // Upstream knows its columns from the first object; Go writes none as null.
            (Form::Table(_), 0) => self.text(r#""columnDefinitions":null,"rows":null}"#),
            _ => self.text("]}"),
        }
    }

    /// The answer to a get.
    pub(super) fn one(&mut self, item: &Item<'_>) {
        match self.form {
            Form::Objects => {
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

/// RFC 3339 without fractions, as metav1.Time is written.
fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second())
        .unwrap_or_default()
        .to_string()
}
