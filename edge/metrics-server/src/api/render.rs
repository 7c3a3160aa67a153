//! Writes `NodeMetrics`, `PodMetrics`, their lists, tables and metadata straight into bytes, without a
//! tree in between.
//!
//! Upstream: k8s.io/metrics/pkg/apis/metrics/v1beta1 and pkg/api/table.go.

mod events;
mod json;
mod protobuf;

pub(super) use events::Events;

use super::negotiate::{Form, Media};
use crate::cluster::{Labels, Node};
use jiff::Timestamp;
use usage::{PodUsage, Usage};

/// Which metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Pod,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
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

/// What an item uses.
#[derive(Clone, Copy)]
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

/// What a table's rows carry besides their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

/// One answer in the making.
pub(super) trait Writer {
    /// Begins a list; items follow.
    fn begin_list(&mut self);
    /// One object of a list.
    fn item(&mut self, item: &Item<'_>);
    fn end_list(&mut self);
    /// The answer to a get.
    fn one(&mut self, item: &Item<'_>);
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// A writer of `form`; what becomes YAML is JSON first. The objects count as made `now`, as upstream's do.
pub(super) fn writer(
    kind: Kind,
    (form, media): (Form, Media),
    include: Include,
    now: Timestamp,
) -> Box<dyn Writer> {
    match media {
        Media::Json | Media::Yaml => Box::new(json::Json::new(kind, form, include, now)),
        Media::Protobuf => Box::new(protobuf::Protobuf::new(kind, form, now)),
    }
}
