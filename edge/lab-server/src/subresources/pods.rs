//! binding and eviction: where a pod goes, and that it goes.
//!
//! Upstream: pkg/registry/core/pod/storage/{storage.go,eviction.go}.

use super::{done, plain};
use crate::backend;
use crate::body::Reply;
use crate::call::Call;
use crate::path::ResourcePath;
use crate::verbs::create::timestamp;
use crate::verbs::delete::{self, Options};
use crate::verbs::{input, update};
use k8s::selector::LabelSelector;
use k8s::status::{ApiError, FieldError, GroupResource};
use objects::ListQuery;
use serde_json::{Value, json};

/// The call for the pod itself.
fn pod(call: &Call) -> Call {
    let path = ResourcePath {
        subresource: None,
        ..call.path.clone()
    };
    Call {
        path,
        ..plain(call)
    }
}

/// Assigns a pod to a node.
pub(super) async fn bind(call: &Call, bytes: &[u8]) -> Reply {
    let binding = input::parse(call, bytes)?;
    let target = &binding["target"];
    let node = target["name"].as_str().unwrap_or("").to_owned();
    let mut errors = Vec::new();
    if !matches!(target["kind"].as_str(), None | Some("" | "Node")) {
        errors.push(FieldError::not_supported(
            "target.kind",
            &target["kind"],
            &["Node", "<empty>"],
        ));
    }
    if node.is_empty() {
        errors.push(FieldError::required("target.name", ""));
    }
    if !errors.is_empty() {
        return Err(ApiError::invalid("", "Binding", call.name(), &errors));
    }
    let now = timestamp(call.now);
    let pod = pod(call);
    let changed = update::change_as_is(&pod, |old| {
        let conflict = |why: String| {
            let of = GroupResource {
                group: "",
                resource: "pods/binding",
            };
            Err(ApiError::conflict(of, call.name(), &why))
        };
        let name = call.name();
        if old["metadata"]["deletionTimestamp"].is_string() {
            return conflict(format!(
                "pod {name} is being deleted, cannot be assigned to a host"
            ));
        }
        if let Some(host) = old["spec"]["nodeName"]
            .as_str()
            .filter(|host| !host.is_empty())
        {
            return conflict(format!("pod {name} is already assigned to node {host:?}"));
        }
        let mut new = old.clone();
        new["spec"]["nodeName"] = node.as_str().into();
        new["metadata"]["resourceVersion"] = Value::Null;
        Ok(scheduled(new, &now))
    });
    changed.await?;
    done()
}

/// Sets the condition PodScheduled.
fn scheduled(mut pod: Value, now: &str) -> Value {
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    });
    if !pod["status"]["conditions"].is_array() {
        pod["status"]["conditions"] = json!([]);
    }
    if let Some(conditions) = pod["status"]["conditions"].as_array_mut() {
        conditions.retain(|known| known["type"] != "PodScheduled");
        conditions.push(condition);
    }
    pod
}

/// Deletes a pod unless a PodDisruptionBudget forbids it now.
pub(super) async fn evict(call: &Call, bytes: &[u8]) -> Reply {
    let eviction = input::parse(call, bytes)?;
    let options = Options::from_object(&eviction["deleteOptions"])?;
    let call = pod(call);
    let stored = call.current()?;
    let going = stored.value();
    let over = matches!(
        going["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed" | "Pending")
    );
    if !over {
        check_budgets(&call, &stored.meta)?;
    }
    delete::delete_object(&call, &options).await?;
    done()
}

/// Differs from upstream: a budget is read, not spent; whoever keeps it counts again soon.
fn check_budgets(call: &Call, pod: &crate::stored::Meta) -> Result<(), ApiError> {
    let prefix = backend::key(call.namespace(), "");
    let query = ListQuery {
        collection: "policy/poddisruptionbudgets",
        prefix: &prefix,
        after: None,
        at: None,
    };
    let Ok(page) = call.inner.backend.list(query, None, |_| true) else {
        return Ok(());
    };
    for item in page.items {
        let budget = item.payload.value();
        let selector = LabelSelector::from_object(&budget["spec"]["selector"]);
        let concerned = selector.is_ok_and(|selector| selector.matches_by(|key| pod.label(key)));
        if concerned && budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) < 1 {
            let mut error = ApiError::too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.",
            );
            let name = budget["metadata"]["name"].as_str().unwrap_or("");
            error.details = Some(json!({"causes": [{
                "reason": "DisruptionBudget",
                "message": format!("The disruption budget {name} needs more healthy pods"),
            }]}));
            return Err(error);
        }
    }
    Ok(())
}
