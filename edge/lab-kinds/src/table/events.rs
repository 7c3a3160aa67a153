//! Events, in both of their groups. Upstream: printEvent.

use super::{ago, or};
use crate::json::{at, has, int, text};
use jiff::Timestamp;
use serde_json::Value;

/// The same event under the names that one of the groups gives its fields.
struct Names {
    first: &'static str,
    last: &'static str,
    count: &'static str,
    object: &'static str,
    source: &'static str,
    controller: &'static str,
    message: &'static str,
}

pub(super) fn of_core(event: &Value, now: Timestamp) -> Vec<Value> {
    let names = Names {
        first: "firstTimestamp",
        last: "lastTimestamp",
        count: "count",
        object: "involvedObject",
        source: "source",
        controller: "reportingComponent",
        message: "message",
    };
    cells(event, &names, now)
}

pub(super) fn of_events_group(event: &Value, now: Timestamp) -> Vec<Value> {
    let names = Names {
        first: "deprecatedFirstTimestamp",
        last: "deprecatedLastTimestamp",
        count: "deprecatedCount",
        object: "regarding",
        source: "deprecatedSource",
        controller: "reportingController",
        message: "note",
    };
    cells(event, &names, now)
}

fn cells(event: &Value, names: &Names, now: Timestamp) -> Vec<Value> {
    let first = if has(event, names.first) {
        ago(at(event, names.first), now)
    } else {
        ago(at(event, "eventTime"), now)
    };
    let mut last = if has(event, names.last) {
        ago(at(event, names.last), now)
    } else {
        first.clone()
    };
    let mut count = int(event, names.count).unwrap_or_default();
    if has(event, "series") {
        last = ago(at(event, "series.lastObservedTime"), now);
        count = int(event, "series.count").unwrap_or_default();
    } else if count == 0 {
        count = 1;
    }
    let about = at(event, names.object);
    vec![
        last.into(),
        text(event, "type").into(),
        text(event, "reason").into(),
        target(about).into(),
        text(about, "fieldPath").into(),
        source(event, names).into(),
        text(event, names.message).trim().into(),
        first.into(),
        count.into(),
        text(event, "metadata.name").into(),
    ]
}

fn target(about: &Value) -> String {
    let kind = text(about, "kind").to_lowercase();
    match text(about, "name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

fn source(event: &Value, names: &Names) -> String {
    let source = at(event, names.source);
    let component = or(text(source, "component"), text(event, names.controller));
    match or(text(source, "host"), text(event, "reportingInstance")) {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    }
}
