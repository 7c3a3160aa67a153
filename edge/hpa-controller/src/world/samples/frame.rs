//! One line of a watch of pods' metrics.

use hpa::{ContainerUsage, PodMetrics};
use k8s::autoscaling::observe::{amount, time};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
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
    #[serde(borrow, default)]
    usage: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

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
            containers: object.containers.into_iter().map(container).collect(),
        },
    })
}

fn container(container: Container<'_>) -> ContainerUsage {
    ContainerUsage {
        name: container.name.into_owned(),
        usage: container
            .usage
            .iter()
            .map(|(name, text)| amount(name, text))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
