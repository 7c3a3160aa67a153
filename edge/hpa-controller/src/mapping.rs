//! Which resources serve a kind: what upstream's RESTMapper answers.

use crate::errors::{Error, request};
use http::Request;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};
use kube::Client;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is good for. Upstream resets its mapper every 30 seconds.
const FRESH: Duration = Duration::from_secs(30);
/// Kinds that are remembered; more and all are forgotten.
const REMEMBERED: usize = 1_024;

/// A resource that serves a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
}

impl Mapping {
    /// The path of an object of it.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let (group, version, resource) = (&self.group, &self.version, &self.resource);
        if group.is_empty() {
            format!("/api/{version}/namespaces/{namespace}/{resource}/{name}")
        } else {
            format!("/apis/{group}/{version}/namespaces/{namespace}/{resource}/{name}")
        }
    }
}

/// Group and kind.
type Key = (String, String);
/// An answer, and when it was given.
type Answer = (Instant, Arc<[Mapping]>);

/// Asks the API's discovery, and remembers.
#[derive(Debug, Default)]
pub(crate) struct Mapper {
    known: Mutex<HashMap<Key, Answer>>,
    custom: Mutex<Option<(Instant, &'static str)>>,
}

const CUSTOM: &str = "custom.metrics.k8s.io";
/// Those that can be read. Upstream: custom_metrics/converter.go, MetricVersions.
const CUSTOM_VERSIONS: [&str; 2] = ["v1beta2", "v1beta1"];

impl Mapper {
    /// The resources that serve a kind, the preferred version first; never none.
    pub(crate) async fn mappings(
        &self,
        client: &Client,
        group: &str,
        kind: &str,
    ) -> Result<Arc<[Mapping]>, String> {
        let key = (group.to_owned(), kind.to_owned());
        if let Some((at, mappings)) = self.known.lock().await.get(&key)
            && at.elapsed() < FRESH
        {
            return Ok(mappings.clone());
        }
        let found: Arc<[Mapping]> = discover(client, group, kind)
            .await
            .map_err(|e| e.to_string())?
            .into();
        if found.is_empty() {
            return Err(format!("no matches for kind {kind:?} in group {group:?}"));
        }
        let mut known = self.known.lock().await;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, (Instant::now(), found.clone()));
        Ok(found)
    }
}

impl Mapper {
    /// The version in which to ask for custom metrics: the server's preferred one, else its first that can be
    /// read. Upstream: custom_metrics/discovery.go.
    pub(crate) async fn custom_version(&self, client: &Client) -> Result<&'static str, String> {
        let known = *self.custom.lock().await;
        if let Some((_, version)) = known.filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(version);
        }
        let served = versions(client, CUSTOM).await.map_err(|e| e.to_string())?;
        if served.is_empty() {
            return Err(format!("no custom metrics API ({CUSTOM}) registered"));
        }
        let readable = |served: &String| CUSTOM_VERSIONS.into_iter().find(|v| v == served);
        let version = served
            .iter()
            .find_map(readable)
            .ok_or("no known available metric versions found")?;
        *self.custom.lock().await = Some((Instant::now(), version));
        Ok(version)
    }
}

async fn discover(client: &Client, group: &str, kind: &str) -> Result<Vec<Mapping>, Error> {
    let mut mappings = Vec::new();
    for version in versions(client, group).await? {
        let path = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        let Some(list) = get::<APIResourceList>(client, &path).await? else {
            continue;
        };
        let of_kind = list
            .resources
            .into_iter()
            .filter(|r| r.kind == kind && !r.name.contains('/'));
        mappings.extend(of_kind.map(|r| Mapping {
            group: group.to_owned(),
            version: version.clone(),
            resource: r.name,
        }));
    }
    Ok(mappings)
}

/// A group's versions, the preferred one first; none when there is no such group.
async fn versions(client: &Client, group: &str) -> Result<Vec<String>, Error> {
    if group.is_empty() {
        return Ok(vec!["v1".to_owned()]);
    }
    let Some(found) = get::<APIGroup>(client, &format!("/apis/{group}")).await? else {
        return Ok(Vec::new());
    };
    let preferred = found
        .preferred_version
        .map(|v| v.version)
        .unwrap_or_default();
    let mut versions: Vec<String> = found.versions.into_iter().map(|v| v.version).collect();
    versions.sort_by_key(|v| *v != preferred);
    Ok(versions)
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<Option<T>, Error> {
    let asked = async {
        let ask = Request::get(path)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        client.request::<T>(ask).await
    };
    match request("get discovery", asked).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}
