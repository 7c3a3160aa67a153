//! Custom and external metrics, from whoever serves those APIs.
//!
//! Upstream: k8s.io/metrics/pkg/client (v0.36): custom_metrics/versioned_client.go, external_metrics/client.go.

use crate::errors::{Error, request};
use crate::mapping::Mapper;
use hpa::{PodValue, Reading};
use http::Request;
use k8s::autoscaling::observe::{milli, time};
use k8s::selector;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, ExternalMetricSource, MetricIdentifier, MetricSpec,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use kube::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use units::{Duration, Timestamp};

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";
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
    let namespace = asker.namespace;
    let path = format!(
        "{CUSTOM}/namespaces/{namespace}/pods/*/{}",
        escaped(&metric.name)
    );
    let query = [
        ("labelSelector", pods.to_owned()),
        ("metricLabelSelector", text(metric.selector.as_ref())),
    ];
    let list: List<MetricValue> = get(asker.client, &path, &query)
        .await
        .map_err(|e| unless_registered(&e))?;
    let value = |v: MetricValue| PodValue {
        pod: v.described_object.name,
        timestamp: v.timestamp.as_ref().map_or(Timestamp::GO_ZERO, time),
        window: Duration::from_seconds(v.window_seconds.unwrap_or(DEFAULT_WINDOW_SECONDS)),
        value: milli(&v.value),
    };
    Ok(list.items.into_iter().map(value).collect())
}

async fn of_object(
    asker: Asker<'_>,
    object: &CrossVersionObjectReference,
    metric: &MetricIdentifier,
) -> Result<i64, String> {
    let path = object_path(asker, object, &escaped(&metric.name)).await?;
    let query = [("metricLabelSelector", text(metric.selector.as_ref()))];
    let list: List<MetricValue> = get(asker.client, &path, &query)
        .await
        .map_err(|e| unless_registered(&e))?;
    match list.items.as_slice() {
        [one] => Ok(milli(&one.value)),
        many => Err(format!(
            "the custom metrics API server returned {} results when we asked for exactly one",
            many.len()
        )),
    }
}

/// Namespaces are asked for by the autoscaler's own namespace, whatever the reference says.
async fn object_path(
    asker: Asker<'_>,
    object: &CrossVersionObjectReference,
    metric: &str,
) -> Result<String, String> {
    let namespace = asker.namespace;
    let group = match object
        .api_version
        .as_deref()
        .unwrap_or_default()
        .split_once('/')
    {
        Some((group, _)) => group,
        None => "",
    };
    if object.kind == "Namespace" && group.is_empty() {
        return Ok(format!("{CUSTOM}/namespaces/{namespace}/metrics/{metric}"));
    }
    let mappings = asker
        .mapper
        .mappings(asker.client, group, &object.kind)
        .await
        .map_err(|error| {
            format!(
                "unable to map kind {} to resource: {error}",
                group_kind(&object.kind, group)
            )
        })?;
    let resource = mappings
        .first()
        .map(|m| m.resource.as_str())
        .unwrap_or_default();
    let qualified = if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    };
    Ok(format!(
        "{CUSTOM}/namespaces/{namespace}/{qualified}/{}/{metric}",
        escaped(&object.name)
    ))
}

fn group_kind(kind: &str, group: &str) -> String {
    if group.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}.{group}")
    }
}

async fn external(asker: Asker<'_>, source: &ExternalMetricSource) -> Result<Vec<i64>, String> {
    let path = format!(
        "{EXTERNAL}/namespaces/{}/{}",
        asker.namespace,
        escaped(&source.metric.name)
    );
    let query = [("labelSelector", text(source.metric.selector.as_ref()))];
    let list: List<ExternalValue> = get(asker.client, &path, &query).await.map_err(|error| {
        match error.code() {
            Some(404) => format!(
                "the server could not find the requested resource (get {}.external.metrics.k8s.io)",
                source.metric.name
            ),
            _ => error.to_string(),
        }
    })?;
    Ok(list.items.iter().map(|v| milli(&v.value)).collect())
}

/// Upstream's client looks first whether anybody registered the API.
fn unless_registered(error: &Error) -> String {
    let text = error.to_string();
    let unknown = text.starts_with("the server could not find the requested resource")
        || text.starts_with("404");
    if error.code() == Some(404) && unknown {
        return "no custom metrics API (custom.metrics.k8s.io) registered".to_owned();
    }
    text
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
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

async fn get<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    query: &[(&str, String)],
) -> Result<T, Error> {
    let mut uri = path.to_owned();
    let set = query.iter().filter(|(_, value)| !value.is_empty());
    for (index, (name, value)) in set.enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.push_str(&format!("{name}={}", escaped(value)));
    }
    request("get metrics", async {
        let ask = Request::get(uri)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        client.request(ask).await
    })
    .await
}
