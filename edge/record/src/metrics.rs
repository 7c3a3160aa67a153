//! What each of `spec.metrics` reads from the lists of a snapshot, as the metrics' API would answer.

use crate::check::{Form, check};
use crate::context::{Unavailable, timestamp};
use crate::documents::{Document, Documents};
use crate::error::Error;
use crate::typed;
use hpa::{PodValue, Reading, Sample};
use k8s::autoscaling::observe::milli;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::{MetricIdentifier, MetricSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use units::{Duration, Timestamp};

/// Upstream: metricServerDefaultMetricWindow.
const DEFAULT_WINDOW_SECONDS: i64 = 60;
/// On a list: the index of the metric whose question it answers. It then answers nothing else, and
/// nothing of it is left out.
pub(crate) const ANSWERS: &str = "evenkeel.dev/metric";

/// A value of custom.metrics.k8s.io, of either version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Custom {
    #[serde(default)]
    described_object: Described,
    /// v1beta2
    metric: Option<Named>,
    /// v1beta1
    metric_name: Option<String>,
    /// v1beta1
    selector: Option<Value>,
    timestamp: Option<jiff::Timestamp>,
    #[serde(alias = "window")]
    window_seconds: Option<i64>,
    value: Quantity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Described {
    api_version: String,
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    selector: Option<Value>,
}

/// A value of external.metrics.k8s.io.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct External {
    metric_name: String,
    #[serde(default)]
    metric_labels: Option<BTreeMap<String, String>>,
    timestamp: Option<jiff::Timestamp>,
    value: Quantity,
}

/// The items of a list, and which metric they answer.
#[derive(Debug)]
struct List<T> {
    answers: Option<usize>,
    items: Vec<T>,
}

/// All lists of a snapshot.
#[derive(Debug)]
pub(crate) struct Lists {
    custom: Vec<List<Custom>>,
    external: Vec<List<External>>,
}

/// Whose metrics are read.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) unavailable: &'a Unavailable,
    /// Pods of the snapshot that the scale's selector does not pick.
    pub(crate) strangers: &'a HashSet<String>,
}

impl Lists {
    /// Reads the lists of all documents.
    pub(crate) fn read(documents: &Documents) -> Result<Self, Error> {
        let mut lists = Self {
            custom: Vec::new(),
            external: Vec::new(),
        };
        for document in &documents.list {
            match (document.group(), document.kind()) {
                ("custom.metrics.k8s.io", "MetricValueList") => lists.custom.push(list(document)?),
                ("external.metrics.k8s.io", "ExternalMetricValueList") => {
                    lists.external.push(list(document)?);
                }
                _ => {}
            }
        }
        Ok(lists)
    }

    /// What one metric reads.
    pub(crate) fn reading(&self, index: usize, metric: &MetricSpec, asked: Asked<'_>) -> Reading {
        let unavailable = asked.unavailable;
        let failed = |api: &Option<String>| {
            let own = unavailable.metrics.get(&index).or(api.as_ref());
            own.cloned().map_or(Ok(()), Err)
        };
        let custom = || failed(&unavailable.custom_metrics);
        match metric.type_.as_str() {
            "Pods" => metric.pods.as_ref().map(|source| {
                Reading::Pods(custom().map(|()| self.of_pods(index, &source.metric, asked)))
            }),
            "Object" => metric.object.as_ref().map(|source| {
                let object = &source.described_object;
                let version = object.api_version.as_deref().unwrap_or_default();
                let of = Of {
                    index,
                    group: group_of(version),
                    kind: &object.kind,
                    metric: &source.metric,
                    namespace: asked.namespace,
                };
                let name = if of.is_namespace() {
                    asked.namespace
                } else {
                    &object.name
                };
                Reading::Object(custom().and_then(|()| self.of_object(&of, name)))
            }),
            "External" => metric.external.as_ref().map(|source| {
                let failed = failed(&unavailable.external_metrics);
                Reading::External(failed.map(|()| self.external(index, &source.metric)))
            }),
            _ => None,
        }
        .unwrap_or(Reading::Resource)
    }

    fn of_pods(&self, index: usize, metric: &MetricIdentifier, asked: Asked<'_>) -> Vec<PodValue> {
        let of = Of {
            index,
            group: "",
            kind: "Pod",
            metric,
            namespace: asked.namespace,
        };
        let value = |v: &Custom| PodValue {
            pod: v.described_object.name.clone(),
            timestamp: v.timestamp.map_or(Timestamp::GO_ZERO, timestamp),
            window: Duration::from_seconds(v.window_seconds.unwrap_or(DEFAULT_WINDOW_SECONDS)),
            value: milli(&v.value),
        };
        match answers(&self.custom, index) {
            Some(items) => items.iter().map(value).collect(),
            None => self
                .matching(&of)
                .filter(|v| !asked.strangers.contains(&v.described_object.name))
                .map(value)
                .collect(),
        }
    }

    fn of_object(&self, of: &Of<'_>, name: &str) -> Result<Sample, String> {
        let values: Vec<&Custom> = match answers(&self.custom, of.index) {
            Some(items) => items.iter().collect(),
            None => self
                .matching(of)
                .filter(|v| v.described_object.name == name)
                .collect(),
        };
        match values.as_slice() {
            [one] => Ok(sample(&one.value, one.timestamp)),
            many => Err(format!(
                "the custom metrics API server returned {} results when we asked for exactly one",
                many.len()
            )),
        }
    }

    fn matching<'a>(&'a self, of: &'a Of<'a>) -> impl Iterator<Item = &'a Custom> {
        let wanted = selector_text(of.metric.selector.as_ref().map(|s| json!(s)).as_ref());
        let general = self.custom.iter().filter(|list| list.answers.is_none());
        general
            .flat_map(|list| &list.items)
            .filter(move |value| of.is_meant(value, &wanted))
    }

    fn external(&self, index: usize, metric: &MetricIdentifier) -> Vec<Sample> {
        let series = |v: &External| sample(&v.value, v.timestamp);
        if let Some(items) = answers(&self.external, index) {
            return items.iter().map(series).collect();
        }
        let object = metric.selector.as_ref().map_or(json!({}), |s| json!(s));
        let Ok(selector) = LabelSelector::from_object(&object) else {
            return Vec::new();
        };
        let picked = |v: &&External| {
            let labels = v.metric_labels.as_ref();
            v.metric_name == metric.name
                && selector.matches_by(|key| labels.and_then(|l| l.get(key)).map(String::as_str))
        };
        let general = self.external.iter().filter(|list| list.answers.is_none());
        let items = general.flat_map(|list| &list.items);
        items.filter(picked).map(series).collect()
    }
}

fn sample(value: &Quantity, at: Option<jiff::Timestamp>) -> Sample {
    Sample {
        value: milli(value),
        timestamp: at.map(timestamp),
    }
}

/// What a custom metric is asked of.
struct Of<'a> {
    index: usize,
    group: &'a str,
    kind: &'a str,
    metric: &'a MetricIdentifier,
    namespace: &'a str,
}

impl Of<'_> {
    fn is_namespace(&self) -> bool {
        self.kind == "Namespace" && self.group.is_empty()
    }

    fn is_meant(&self, value: &Custom, selector: &str) -> bool {
        let object = &value.described_object;
        let (name, own) = match &value.metric {
            Some(metric) => (metric.name.as_str(), metric.selector.as_ref()),
            None => (
                value.metric_name.as_deref().unwrap_or_default(),
                value.selector.as_ref(),
            ),
        };
        group_of(&object.api_version) == self.group
            && object.kind == self.kind
            && (object.namespace.is_empty() || object.namespace == self.namespace)
            && name == self.metric.name
            && selector_text(own) == selector
    }
}

fn list<T: for<'de> Deserialize<'de>>(document: &Document) -> Result<List<T>, Error> {
    #[derive(Deserialize)]
    struct Wire<T> {
        #[serde(default = "Vec::new")]
        items: Vec<T>,
    }
    check(document, &["items[].value"], Form::Quantity)?;
    let wire: Wire<T> = typed::read(document)?;
    let answers = match &document.value["metadata"]["annotations"][ANSWERS] {
        Value::Null => None,
        value => {
            let index = value.as_str().and_then(|text| text.parse().ok());
            let field = format!("metadata.annotations[{ANSWERS}]");
            let index =
                index.ok_or_else(|| document.error(&field, "must be an index of spec.metrics"))?;
            Some(index)
        }
    };
    Ok(List {
        answers,
        items: wire.items,
    })
}

/// The items of the list that answers just this metric.
fn answers<T>(lists: &[List<T>], index: usize) -> Option<&[T]> {
    let own = lists.iter().find(|list| list.answers == Some(index))?;
    Some(&own.items)
}

fn group_of(version: &str) -> &str {
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Two selectors are equal when they print the same; no selector prints as an empty one does.
fn selector_text(value: Option<&Value>) -> String {
    value
        .filter(|v| !v.is_null())
        .and_then(|v| LabelSelector::from_object(v).ok())
        .map(|s| s.to_string())
        .unwrap_or_default()
}
