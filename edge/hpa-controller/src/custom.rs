//! Custom and external metrics, from whoever serves those APIs.
//!
//! Upstream: k8s.io/metrics/pkg/client (v0.36): custom_metrics/versioned_client.go, external_metrics/client.go.

use crate::errors::get;
use crate::mapping::Mapper;
use hpa::{PodValue, Reading, Sample};
use k8s::autoscaling::observe::{milli, time};
use k8s::selector;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, ExternalMetricSource, MetricIdentifier, MetricSpec,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use kube::Client;
use serde::Deserialize;
use units::{Duration, Timestamp};

/// Upstream: metricServerDefaultMetricWindow.
const DEFAULT_WINDOW_SECONDS: i64 = 60;

#[derive(Debug, Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetricValue {
    described_object: Described,
    timestamp: Option<Time>,
    /// v1beta1 calls it `window`.
    #[serde(alias = "window")]
    window_seconds: Option<i64>,
    value: Quantity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Described {
    name: String,
}

#[derive(Debug, Deserialize)]
struct ExternalValue {
    timestamp: Option<Time>,
    value: Quantity,
}

/// Who asks, and where.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) client: &'a Client,
    pub(crate) mapper: &'a Mapper,
    pub(crate) namespace: &'a str,
}

/// Asks for whatever the metric needs beyond metrics.k8s.io.
pub(crate) async fn read(asker: Asker<'_>, metric: &MetricSpec, pods: &str) -> Reading {
    match metric.type_.as_str() {
        "Pods" => match &metric.pods {
            Some(source) => Reading::Pods(of_pods(asker, &source.metric, pods).await),
            None => Reading::Resource,
        },
        "Object" => match &metric.object {
            Some(source) => {
                Reading::Object(of_object(asker, &source.described_object, &source.metric).await)
            }
            None => Reading::Resource,
        },
        "External" => match &metric.external {
            Some(source) => Reading::External(external(asker, source).await),
            None => Reading::Resource,
        },
        _ => Reading::Resource,
    }
}

async fn of_pods(
    asker: Asker<'_>,
    metric: &MetricIdentifier,
    pods: &str,
) -> Result<Vec<PodValue>, String> {
    let version = asker.mapper.custom_version(asker.client).await?;
    let list = asker.custom(version, "pods", "*", metric, pods).await?;
    let value = |v: MetricValue| PodValue {
        pod: v.described_object.name,
        timestamp: v.timestamp.as_ref().map_or(Timestamp::GO_ZERO, time),
        window: Duration::from_seconds(v.window_seconds.unwrap_or(DEFAULT_WINDOW_SECONDS)),
        value: milli(&v.value),
    };
    Ok(list.into_iter().map(value).collect())
}

async fn of_object(
    asker: Asker<'_>,
    object: &CrossVersionObjectReference,
    metric: &MetricIdentifier,
) -> Result<Sample, String> {
    let version = asker.mapper.custom_version(asker.client).await?;
    let list = match resource_of(asker, object).await? {
        Some(resource) => {
            let name = object.name.as_str();
            asker.custom(version, &resource, name, metric, "").await?
        }
        None => asker.of_namespace(version, metric).await?,
    };
    match list.as_slice() {
        [one] => Ok(sample(&one.value, one.timestamp.as_ref())),
        many => Err(format!(
            "the custom metrics API server returned {} results when we asked for exactly one",
            many.len()
        )),
    }
}

/// The resource of an object with its group; none for a namespace, which is asked for differently (and is
/// the autoscaler's own, whatever the reference says).
async fn resource_of(
    asker: Asker<'_>,
    object: &CrossVersionObjectReference,
) -> Result<Option<String>, String> {
    let api_version = object.api_version.as_deref().unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if object.kind == "Namespace" && group.is_empty() {
        return Ok(None);
    }
    let mappings = asker
        .mapper
        .mappings(asker.client, group, &object.kind)
        .await
        .map_err(|error| {
            let kind = qualified(&object.kind, group);
            format!("unable to map kind {kind} to resource: {error}")
        })?;
    let resource = mappings.first().map_or("", |m| m.resource.as_str());
    Ok(Some(qualified(resource, group)))
}

/// Upstream: GroupKind.String, GroupResource.String.
fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

impl Asker<'_> {
    /// A metric of one object, or with `*` of all that `selector` selects.
    async fn custom(
        self,
        version: &str,
        resource: &str,
        name: &str,
        metric: &MetricIdentifier,
        selector: &str,
    ) -> Result<Vec<MetricValue>, String> {
        let namespace = self.namespace;
        let (object, metric_name) = (escaped(name), escaped(&metric.name));
        let query = query(&[
            ("labelSelector", selector),
            ("metricLabelSelector", &text(metric.selector.as_ref())),
        ]);
        let uri = format!(
            "/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/{resource}/{object}/{metric_name}{query}"
        );
        let what = format!("get {resource}.custom.metrics.k8s.io {name}");
        self.values(uri, what).await
    }

    async fn of_namespace(
        self,
        version: &str,
        metric: &MetricIdentifier,
    ) -> Result<Vec<MetricValue>, String> {
        let (namespace, name) = (self.namespace, &metric.name);
        let query = query(&[("metricLabelSelector", &text(metric.selector.as_ref()))]);
        let uri = format!(
            "/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/metrics/{}{query}",
            escaped(name)
        );
        let what = format!("get metrics.custom.metrics.k8s.io {name}");
        self.values(uri, what).await
    }

    async fn values(self, uri: String, what: String) -> Result<Vec<MetricValue>, String> {
        let list: List<MetricValue> = get(self.client, uri, what)
            .await
            .map_err(|e| e.to_string())?;
        Ok(list.items)
    }
}

async fn external(asker: Asker<'_>, source: &ExternalMetricSource) -> Result<Vec<Sample>, String> {
    let name = &source.metric.name;
    let query = query(&[("labelSelector", &text(source.metric.selector.as_ref()))]);
    let uri = format!(
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/{}/{}{query}",
        asker.namespace,
        escaped(name)
    );
    let what = format!("get {name}.external.metrics.k8s.io");
    let list: List<ExternalValue> = get(asker.client, uri, what)
        .await
        .map_err(|e| e.to_string())?;
    let series = |v: &ExternalValue| sample(&v.value, v.timestamp.as_ref());
    Ok(list.items.iter().map(series).collect())
}

fn sample(value: &Quantity, timestamp: Option<&Time>) -> Sample {
    Sample {
        value: milli(value),
        timestamp: timestamp.map(time),
    }
}

/// A metric's selector as a query says it; nothing for none. What does not parse was said elsewhere.
fn text(selector: Option<&LabelSelector>) -> String {
    selector
        .and_then(|s| serde_json::to_value(s).ok())
        .and_then(|value| selector::LabelSelector::from_object(&value).ok())
        .map(|s| s.to_string())
        .unwrap_or_default()
}

fn escaped(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'*' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// The parameters that are set, with the question mark.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(&format!("{name}={}", escaped(value)));
    }
    query
}
