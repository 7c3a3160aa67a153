//! What the demo reads of the cluster: readiness, the HPA's figures, the latest sample's time.

use super::manifests::{APP, NAMESPACE, SERVICE};
use anyhow::{Context, Result, bail};
use kube::Client;
use serde_json::Value;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The HPA and its target at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) utilization_percent: Option<i32>,
    pub(crate) replicas: i32,
    pub(crate) ready: i32,
}

/// An object or list by its path; `None` where there is none.
async fn get(client: &Client, path: &str) -> Result<Option<Value>> {
    let request = http::Request::get(path).body(Vec::new())?;
    match client.request::<Value>(request).await {
        Ok(value) => Ok(Some(value)),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 503 => Ok(None),
        Err(error) => Err(error).with_context(|| format!("GET {path}")),
    }
}

fn number(value: &Value) -> i32 {
    value
        .as_i64()
        .and_then(|n| i32::try_from(n).ok())
        .unwrap_or(0)
}

/// Waits until `look` finds something; `what` names it in the error after `limit`.
pub(crate) async fn wait_for<T, F>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("{what} did not happen within {} s", limit.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether the aggregated metrics API answers.
pub(crate) async fn metrics_api_available(client: &Client) -> Result<Option<()>> {
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
    let service = get(client, path).await?.unwrap_or_default();
    let conditions = service["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let available = conditions
        .iter()
        .any(|c| c["type"] == "Available" && c["status"] == "True");
    Ok(available.then_some(()))
}

/// Whether the application has as many ready pods as it should.
pub(crate) async fn app_ready(client: &Client) -> Result<Option<()>> {
    let figures = figures(client).await?;
    Ok((figures.replicas > 0 && figures.ready == figures.replicas).then_some(()))
}

/// Whether the HPA has seen a figure.
pub(crate) async fn utilization_known(client: &Client) -> Result<Option<()>> {
    Ok(figures(client).await?.utilization_percent.map(drop))
}

/// The HPA's utilization and the Deployment's replicas.
pub(crate) async fn figures(client: &Client) -> Result<Figures> {
    let hpa = format!("/apis/autoscaling/v1/namespaces/{NAMESPACE}/horizontalpodautoscalers/{APP}");
    let hpa = get(client, &hpa).await?.unwrap_or_default();
    let app = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{APP}");
    let app = get(client, &app).await?.unwrap_or_default();
    let percent = &hpa["status"]["currentCPUUtilizationPercentage"];
    Ok(Figures {
        utilization_percent: percent.as_i64().and_then(|n| i32::try_from(n).ok()),
        replicas: number(&app["spec"]["replicas"]),
        ready: number(&app["status"]["readyReplicas"]),
    })
}

/// The times of the application's newest samples, as one text that changes with each scrape.
pub(crate) async fn sample_times(client: &Client) -> Result<String> {
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods");
    let list = get(client, &path).await?.unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let times = items.iter().filter_map(|i| i["timestamp"].as_str());
    Ok(times.max().unwrap_or_default().to_owned())
}

/// Where the Service answers from outside: its LoadBalancer address.
pub(crate) async fn service_address(client: &Client) -> Result<Option<SocketAddr>> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/{SERVICE}");
    let service = get(client, &path).await?.unwrap_or_default();
    let Some(ip) = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str() else {
        return Ok(None);
    };
    let port = service["spec"]["ports"][0]["port"]
        .as_u64()
        .and_then(|p| u16::try_from(p).ok());
    let port = port.context("the service has no port")?;
    Ok(Some(SocketAddr::new(
        ip.parse().context("the service's address")?,
        port,
    )))
}
