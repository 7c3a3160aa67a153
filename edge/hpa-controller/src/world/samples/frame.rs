//! One line of a watch of pods' metrics.

use hpa::{ContainerUsage, PodMetrics, Resource};
use k8s::autoscaling::observe::{amount, time};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use units::Timestamp;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) namespace: Box<str>,
    pub(super) metrics: PodMetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Changed,
    Deleted,
    /// `first`: all that there was at the beginning has been told.
    Bookmark {
        first: bool,
    },
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(default)]
    timestamp: Option<Time>,
    #[serde(borrow, default)]
    window: Cow<'a, str>,
    #[serde(borrow, default)]
    containers: Vec<Container<'a>>,
    /// What a Status says.
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    annotations: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Container<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    usage: Amounts,
}

/// A resource list.
#[derive(Default)]
struct Amounts(Vec<(Resource, i64)>);

/// Most say cpu and memory.
const USUAL: usize = 2;

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::with_capacity(USUAL)))
    }
}

impl<'de> Visitor<'de> for Amounts {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("amounts by resource")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self, M::Error> {
        // No server names a resource twice.
        while let Some((name, text)) = map.next_entry::<Text<'de>, Text<'de>>()? {
            self.0.push(amount(&name.0, &text.0));
        }
        Ok(self)
    }
}

/// A text that is copied only where it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a line; an error is what the server said, or why it is none.
pub(super) fn read(line: &[u8]) -> Result<Event, String> {
    let Line { kind, object } =
        serde_json::from_slice(line).map_err(|error| format!("no event: {error}"))?;
    let kind = match kind {
        "ADDED" | "MODIFIED" => Kind::Changed,
        "DELETED" => Kind::Deleted,
        "BOOKMARK" => Kind::Bookmark {
            first: object
                .metadata
                .annotations
                .contains_key("k8s.io/initial-events-end"),
        },
        _ => return Err(object.message.into_owned()),
    };
    Ok(Event {
        kind,
        namespace: object.metadata.namespace.as_ref().into(),
        metrics: PodMetrics {
            pod: object.metadata.name.into_owned(),
            timestamp: object.timestamp.as_ref().map_or(Timestamp::GO_ZERO, time),
            window: object.window.parse().unwrap_or_default(),
            containers: containers(object.containers),
        },
    })
}

fn containers(read: Vec<Container<'_>>) -> Vec<ContainerUsage> {
    // Not in the place of what was read, which is larger.
    let mut containers = Vec::with_capacity(read.len());
    containers.extend(read.into_iter().map(|container| ContainerUsage {
        name: container.name.into_owned(),
        usage: container.usage.0,
    }));
    containers
}

#[cfg(test)]
mod tests;
