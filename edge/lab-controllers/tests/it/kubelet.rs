//! A kubelet that runs nothing: pods are ready at once, and end when told to.
//!
//! A pod whose annotation `exit` is a number ends with that code as soon as it started.

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

pub(crate) async fn run(client: Client, stop: CancellationToken) {
    let pods = watcher(Api::<Pod>::all(client.clone()), watcher::Config::default());
    let mut pods = Box::pin(pods.default_backoff().applied_objects());
    let mut started = BTreeSet::new();
    let mut count = 0_u8;
    while let Some(Some(event)) = stop.run_until_cancelled(pods.next()).await {
        let Ok(pod) = event else {
            continue;
        };
        let assigned = pod
            .spec
            .as_ref()
            .is_some_and(|spec| spec.node_name.is_some());
        if !assigned {
            continue;
        }
        let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
        if pod.metadata.deletion_timestamp.is_some() {
            let now = DeleteParams::default().grace_period(0);
            // Gone already, or kept by a finalizer: both are for others to see.
            let _ = api.delete(&pod.name_any(), &now).await;
        } else if started.insert(pod.uid().unwrap_or_default()) {
            count = count.wrapping_add(1);
            let status = json!({"status": status(&pod, count)});
            let _ = api
                .patch_status(
                    &pod.name_any(),
                    &PatchParams::default(),
                    &Patch::Merge(&status),
                )
                .await;
        }
    }
}

fn status(pod: &Pod, number: u8) -> Value {
    let now = runtime::clock::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let exit = pod
        .annotations()
        .get("exit")
        .and_then(|code| code.parse::<i32>().ok());
    let stuck = pod.annotations().contains_key("stuck");
    let ready = if exit.is_none() && !stuck {
        "True"
    } else {
        "False"
    };
    let phase = match exit {
        None => "Running",
        Some(0) => "Succeeded",
        Some(_) => "Failed",
    };
    let ended = exit.map(|code| json!({"terminated": {"exitCode": code, "finishedAt": now}}));
    json!({
        "phase": phase, "podIP": format!("127.99.128.{number}"), "startTime": now,
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": now},
            {"type": "Ready", "status": ready, "lastTransitionTime": now},
        ],
        "containerStatuses": [{
            "name": "main", "image": "image", "imageID": "", "ready": ready == "True",
            "restartCount": 0, "state": ended.unwrap_or_else(|| json!({"running": {"startedAt": now}})),
        }],
    })
}
