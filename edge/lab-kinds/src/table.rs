//! Server-side tables: what `kubectl get` prints.
//!
//! The columns are `data/tables.jsonl`, asked of a real server. The cells follow upstream's
//! pkg/printers/internalversion/printers.go (v1.36), always in its wide form, as the API server
//! prints them; the client leaves out columns of priority above zero.

mod admission;
mod cluster;
pub mod custom;
mod duration;
mod events;
mod hpa;
mod network;
mod pods;
mod services;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

use crate::json::{at, items, object, text};
use crate::resources::Resource;
use jiff::Timestamp;
use k8s::selector::LabelSelector;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::LazyLock;

pub use duration::{human, since};

static DATA: &str = include_str!("../data/tables.jsonl");

/// A column, as a Table's `columnDefinitions` have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Heading; clients print it in capitals.
    pub name: String,
    /// `string`, `integer`, `boolean`, `number` or `date`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `name` for the object's name, else empty.
    pub format: String,
    /// What the column says.
    #[serde(default)]
    pub description: String,
    /// Columns above zero are for wide output.
    pub priority: i32,
}

#[derive(Debug, Deserialize)]
struct Table {
    group: String,
    version: String,
    resource: String,
    columns: Vec<Column>,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    DATA.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
});

/// Name and time of creation, for kinds that have nothing of their own.
/// Upstream: apiserver pkg/registry/rest/table.go.
static PLAIN: LazyLock<Vec<Column>> = LazyLock::new(|| {
    vec![
        column("Name", "string", "name"),
        column("Created At", "date", ""),
    ]
});

pub(crate) fn column(name: &str, kind: &str, format: &str) -> Column {
    Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: format.to_owned(),
        description: String::new(),
        priority: 0,
    }
}

/// The columns of a built-in resource's table.
pub fn columns(resource: &Resource) -> &'static [Column] {
    TABLES
        .iter()
        .find(|table| {
            table.resource == resource.resource
                && table.group == resource.group
                && table.version == resource.version
        })
        .map_or(&PLAIN, |table| &table.columns)
}

/// The cells of a built-in object, one a column.
pub fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    let cells = match resource.group.as_str() {
        "" => core(&resource.resource, object, now),
        "apps" | "batch" => workloads::cells(&resource.resource, object, now),
        "autoscaling" => Some(hpa::cells(&resource.version, object, now)),
        "events.k8s.io" => Some(events::of_events_group(object, now)),
        "networking.k8s.io" | "discovery.k8s.io" => network::cells(&resource.resource, object, now),
        "storage.k8s.io" => storage::cells(&resource.resource, object, now),
        "admissionregistration.k8s.io" => Some(admission::cells(&resource.resource, object, now)),
        _ => cluster::cells(&resource.resource, object, now),
    };
    cells.unwrap_or_else(|| plain(object))
}

fn core(resource: &str, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    match resource {
        "pods" => Some(pods::cells(object, now)),
        "events" => Some(events::of_core(object, now)),
        "services" => Some(services::cells(object, now)),
        "endpoints" => Some(services::endpoints(object, now)),
        "replicationcontrollers" | "podtemplates" => workloads::cells(resource, object, now),
        "persistentvolumes" | "persistentvolumeclaims" => storage::cells(resource, object, now),
        _ => cluster::cells(resource, object, now),
    }
}

/// Conditions of a row: pods that are done say so. Upstream: podSuccessConditions.
pub fn row_conditions(resource: &Resource, object: &Value) -> Option<Value> {
    if !resource.is("", "pods") {
        return None;
    }
    let message = match text(object, "status.phase") {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(serde_json::json!([{"type": "Completed", "status": "True",
                             "reason": text(object, "status.phase"), "message": message}]))
}

fn plain(object: &Value) -> Vec<Value> {
    vec![
        name(object),
        at(object, "metadata.creationTimestamp").clone(),
    ]
}

fn name(object: &Value) -> Value {
    text(object, "metadata.name").into()
}

/// How long ago the object was made.
fn age(object: &Value, now: Timestamp) -> Value {
    ago(at(object, "metadata.creationTimestamp"), now).into()
}

/// How long ago a time was; `<unknown>` without one.
fn ago(time: &Value, now: Timestamp) -> String {
    moment(time).map_or_else(|| "<unknown>".to_owned(), |then| since(then, now))
}

fn moment(time: &Value) -> Option<Timestamp> {
    time.as_str().and_then(|text| text.parse().ok())
}

/// A number that is 0 when it is absent.
fn number(object: &Value, path: &str) -> Value {
    count(object, path).into()
}

fn count(object: &Value, path: &str) -> i64 {
    at(object, path).as_i64().unwrap_or_default()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// `key=value,…`, or `<none>`. Upstream: labels.FormatLabels.
fn labels(map: Option<&Map<String, Value>>) -> String {
    let pairs: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    or(&pairs.join(","), "<none>").to_owned()
}

/// A selector object as text, or `<none>`. Upstream: metav1.FormatLabelSelector.
fn selector(selector: &Value) -> String {
    match LabelSelector::from_object(selector) {
        Ok(selector) => or(&selector.to_string(), "<none>").to_owned(),
        Err(_) => "<error>".to_owned(),
    }
}

/// Names and images of the containers of a pod spec.
fn containers(spec: &Value) -> [Value; 2] {
    ["name", "image"].map(|field| {
        let all: Vec<&str> = items(spec, "containers")
            .iter()
            .map(|c| text(c, field))
            .collect();
        all.join(",").into()
    })
}

/// At most three, then how many more. Upstream: listWithMoreString.
fn first_three(list: &[String], none: &str) -> String {
    const SHOWN: usize = 3;
    if list.len() > SHOWN {
        let shown = list[..SHOWN].join(",");
        format!("{shown} + {} more...", list.len() - SHOWN)
    } else {
        or(&list.join(","), none).to_owned()
    }
}

/// A whole number or a percentage as text.
fn int_or_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How many members a map has.
fn size(value: &Value, path: &str) -> usize {
    object(value, path).map_or(0, Map::len)
}
