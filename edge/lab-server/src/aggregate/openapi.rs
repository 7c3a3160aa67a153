//! OpenAPI v3 documents of backends: listed when a backend has one, and passed on.
//!
//! Upstream: kube-aggregator/pkg/controllers/openapiv3/aggregator.

use super::{Remote, check};
use crate::server::Inner;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Where a backend's document of a group and version is; `None` if it has none.
pub(super) async fn find(inner: &Inner, remote: &Remote, address: SocketAddr) -> Option<String> {
    let url = format!("https://{address}/openapi/v3");
    let answer = check::get(inner, remote, &url).await.ok()?;
    let index: Value = serde_json::from_slice(&answer).ok()?;
    let key = format!("apis/{}/{}", remote.group, remote.version);
    let path = index["paths"][&key]["serverRelativeURL"].as_str()?;
    Some(path.to_owned())
}

/// Adds the backends' documents to an index.
pub(crate) fn index(inner: &Inner, local: Vec<u8>) -> Vec<u8> {
    let registry = inner.registry();
    let mut remotes = registry.remotes().peekable();
    if remotes.peek().is_none() {
        return local;
    }
    let Ok(mut index) = serde_json::from_slice::<Value>(&local) else {
        return local;
    };
    for remote in remotes {
        let found = inner.aggregator.discovered(&remote.name);
        let found = found.filter(|found| found.uid == remote.uid);
        if let Some(path) = found.and_then(|found| found.openapi.clone()) {
            let key = format!("apis/{}/{}", remote.group, remote.version);
            index["paths"][key] = json!({"serverRelativeURL": path});
        }
    }
    index.to_string().into_bytes()
}
