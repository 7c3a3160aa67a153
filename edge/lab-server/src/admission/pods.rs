//! New pods: their service account, priority and tolerations.
//!
//! Upstream: plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}.

use crate::backend;
use crate::call::Call;
use k8s::status::ApiError;
use lab_kinds::names;
use objects::ListQuery;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long the account `default` of a new namespace is waited for. Upstream: ten tries of 100 to 200 ms.
const PATIENCE: Duration = Duration::from_millis(1500);
const PRIORITY_CLASSES: &str = "scheduling.k8s.io/priorityclasses";

/// Admits a pod.
pub(super) async fn admit(call: &Call, pod: &mut Value) -> Result<(), ApiError> {
    account(call, pod).await?;
    priority(call, pod)?;
    tolerate(pod, "node.kubernetes.io/not-ready");
    tolerate(pod, "node.kubernetes.io/unreachable");
    Ok(())
}

fn forbidden(call: &Call, pod: &Value, why: &str) -> ApiError {
    let name = pod["metadata"]["name"].as_str().unwrap_or("");
    ApiError::forbidden(call.resource.named(), name, why)
}

async fn account(call: &Call, pod: &mut Value) -> Result<(), ApiError> {
    let spec = &mut pod["spec"];
    let given = |key: &str| spec[key].as_str().filter(|name| !name.is_empty());
    let name = given("serviceAccountName").or_else(|| given("serviceAccount"));
    let name = name.unwrap_or("default").to_owned();
    spec["serviceAccountName"] = name.as_str().into();
    spec["serviceAccount"] = name.as_str().into();
    let namespace = call.namespace();
    if let Some(account) = find(call, &name).await {
        let mut random = [0; names::SUFFIX_LENGTH];
        random.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..names::SUFFIX_LENGTH]);
        lab_kinds::admission::use_service_account(pod, &account, random);
        return Ok(());
    }
    let why = format!(
        "error looking up service account {namespace}/{name}: serviceaccount {name:?} not found"
    );
    Err(forbidden(call, pod, &why))
}

/// A service account, if it is there; the default one may take a moment to come.
async fn find(call: &Call, name: &str) -> Option<Value> {
    let key = backend::key(call.namespace(), name);
    let account = || call.inner.backend.get("/serviceaccounts", &key);
    let there = || account().is_some();
    if there() || name != "default" {
        return account().map(|found| found.value());
    }
    let mut changes = call.inner.backend.subscribe(&"/serviceaccounts".into());
    let arrival = async {
        while !there() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    // Late or not, what counts is whether it is there.
    let _ = timeout(PATIENCE, arrival).await;
    account().map(|found| found.value())
}

fn priority(call: &Call, pod: &mut Value) -> Result<(), ApiError> {
    let name = pod["spec"]["priorityClassName"]
        .as_str()
        .unwrap_or("")
        .to_owned();
    let class = if name.is_empty() {
        global_default(call)
    } else {
        let found = call
            .inner
            .backend
            .get(PRIORITY_CLASSES, &backend::key("", &name));
        let found = found.ok_or_else(|| {
            forbidden(
                call,
                pod,
                &format!("no PriorityClass with name {name} was found"),
            )
        })?;
        Some(found.value())
    };
    let spec = &mut pod["spec"];
    let class = class.unwrap_or_else(|| json!({"value": 0}));
    if let (true, Some(name)) = (name.is_empty(), class["metadata"]["name"].as_str()) {
        spec["priorityClassName"] = name.into();
    }
    let policy = class["preemptionPolicy"]
        .as_str()
        .unwrap_or("PreemptLowerPriority");
    if !spec["preemptionPolicy"].is_string() {
        spec["preemptionPolicy"] = policy.into();
    }
    let value = class["value"].clone();
    let given = spec["priority"].as_i64();
    if given.is_some() && given != value.as_i64() {
        let why = "the integer value of priority (%) must not be provided in pod spec; priority admission controller computed %v from the given PriorityClass name";
        let why = why
            .replace("(%)", &format!("({})", given.unwrap_or(0)))
            .replace("%v", &value.to_string());
        return Err(forbidden(call, pod, &why));
    }
    spec["priority"] = value;
    Ok(())
}

fn global_default(call: &Call) -> Option<Value> {
    let query = ListQuery {
        collection: PRIORITY_CLASSES,
        prefix: "",
        after: None,
        at: None,
    };
    let page = call.inner.backend.list(query, None, |_| true).ok()?;
    let classes = page.items.iter().map(|item| item.payload.value());
    classes
        .into_iter()
        .find(|class| class["globalDefault"] == true)
}

/// A pod stays five minutes on a node that is gone, unless it says otherwise.
fn tolerate(pod: &mut Value, taint: &str) {
    if !pod["spec"]["tolerations"].is_array() {
        pod["spec"]["tolerations"] = json!([]);
    }
    let Some(list) = pod["spec"]["tolerations"].as_array_mut() else {
        return;
    };
    let covers = |toleration: &Value| {
        let key = toleration["key"].as_str().unwrap_or("");
        let effect = toleration["effect"].as_str().unwrap_or("");
        (key == taint || key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
    };
    if !list.iter().any(covers) {
        list.push(json!({
            "key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
        }));
    }
}
