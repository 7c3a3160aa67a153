//! Writing a pod's status, and its end.

use super::Worker;
use crate::status::status;
use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the API may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Conditions that the node writes.
const OURS: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

impl Worker {
    /// Writes the status if it has changed, and deletes the object of a deleted pod that is over.
    pub(super) async fn publish(&mut self, over: bool) {
        let now = runtime::clock::now();
        let mut pod = self.pod().clone();
        pod.status = Some(self.status.clone());
        let status = status(now, &pod, &self.facts, &self.circumstances(over));
        if over && let Some(address) = self.address.take() {
            self.host.addresses.free(address);
        }
        if self.status_written && status == self.status && !(over && self.is_deleted()) {
            return;
        }
        if self.update.gone {
            self.status = status;
            return;
        }
        self.status_written = self.write(&status).await;
        if self.status_written {
            self.status = status.clone();
        }
        pod.status = Some(status);
        self.remember(pod);
        if over && self.is_deleted() && self.status_written {
            self.status_written = self.delete().await;
        }
    }

    fn api(&self) -> Api<Pod> {
        let namespace = self
            .pod()
            .metadata
            .namespace
            .as_deref()
            .unwrap_or("default");
        Api::namespaced(self.host.config.client.clone(), namespace)
    }

    /// Whether there is nothing left to write: it was written, or the object is gone.
    async fn write(&self, status: &PodStatus) -> bool {
        let name = self.pod().metadata.name.as_deref().unwrap_or_default();
        let patch = json!({
            "metadata": {"uid": self.pod().metadata.uid},
            "status": difference(&self.status, status),
        });
        let (api, parameters) = (self.api(), PatchParams::default());
        let patch = Patch::Merge(patch);
        let asked = api.patch_status(name, &parameters, &patch);
        done(
            tokio::time::timeout(TIMEOUT, asked).await,
            "write a pod's status",
            name,
        )
    }

    async fn delete(&self) -> bool {
        let name = self.pod().metadata.name.as_deref().unwrap_or_default();
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions {
                uid: self.pod().metadata.uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let api = self.api();
        let asked = api.delete(name, &parameters);
        done(
            tokio::time::timeout(TIMEOUT, asked).await,
            "delete a pod",
            name,
        )
    }

    /// Conditions that others write (readiness gates, disruption) are as the API has them.
    pub(super) fn keep_foreign_conditions(&mut self) {
        let foreign = |c: &&PodCondition| !OURS.contains(&c.type_.as_str());
        let theirs = self
            .update
            .pod
            .status
            .as_ref()
            .and_then(|s| s.conditions.as_ref());
        let mut all: Vec<PodCondition> = theirs
            .into_iter()
            .flatten()
            .filter(foreign)
            .cloned()
            .collect();
        let own = self.status.conditions.iter().flatten();
        all.extend(own.filter(|c| OURS.contains(&c.type_.as_str())).cloned());
        self.status.conditions = Some(all);
    }
}

fn done<T>(
    result: Result<kube::Result<T>, tokio::time::error::Elapsed>,
    what: &str,
    pod: &str,
) -> bool {
    match result {
        Ok(Ok(_)) => true,
        // Gone, or another pod of this name: nothing to write any more.
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => true,
        Ok(Err(error)) => {
            tracing::debug!(%error, pod, "cannot {what}; trying again");
            false
        }
        Err(_) => {
            tracing::debug!(pod, "cannot {what} within {TIMEOUT:?}; trying again");
            false
        }
    }
}

/// The status as a merge patch: what is no longer said is null.
fn difference(before: &PodStatus, now: &PodStatus) -> Value {
    let text = |status: &PodStatus| serde_json::to_value(status).unwrap_or_default();
    let (before, mut now) = (text(before), text(now));
    if let (Value::Object(before), Value::Object(now)) = (before, &mut now) {
        for key in before.keys() {
            now.entry(key.clone()).or_insert(Value::Null);
        }
    }
    now
}
