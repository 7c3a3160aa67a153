//! New pods: what admission adds, and their first status.
//!
//! Upstream: pkg/registry/core/pod/strategy.go, plugin/pkg/admission/{defaulttolerationseconds,
//! serviceaccount,priority}, pkg/apis/core/helper/qos.

use crate::json::{Object, at, default_missing, default_zero, is_zero, items, object_mut, text};
use serde_json::{Value, json};
use units::Quantity;

const MIRROR: &str = "kubernetes.io/config.mirror";

/// Admission's defaults, then the status of a pod that has just begun.
pub(super) fn prepare_create(pod: &mut Value) {
    let mirror = at(pod, "metadata.annotations").get(MIRROR).is_some();
    if let Some(spec) = object_mut(pod, "spec") {
        if !mirror {
            account(spec);
        }
        priority(spec);
        tolerations(spec);
    }
    let gated = !items(pod, "spec.schedulingGates").is_empty();
    let mut status = json!({"phase": "Pending", "qosClass": qos_class(pod)});
    if gated {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": null, "lastTransitionTime": null,
        }]);
    }
    pod["status"] = status;
}

/// Owners stay, and the class of service is never lost.
pub(super) fn prepare_status(old: &Value, new: &mut Value) {
    if let Some(metadata) = object_mut(new, "metadata") {
        for key in [
            "ownerReferences",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ] {
            match at(old, "metadata").get(key) {
                Some(kept) => metadata.insert(key.to_owned(), kept.clone()),
                None => metadata.remove(key),
            };
        }
    }
    let class = at(old, "status.qosClass").clone();
    if let Some(status) = object_mut(new, "status")
        && !class.is_null()
    {
        default_zero(status, "qosClass", class);
    }
}

fn account(spec: &mut Object) {
    if is_zero(spec, "serviceAccountName") {
        spec.insert("serviceAccountName".to_owned(), "default".into());
        spec.insert("serviceAccount".to_owned(), "default".into());
    }
}

/// The built-in classes are known; the server looks the others up before it comes here.
fn priority(spec: &mut Object) {
    let value = match spec.get("priorityClassName").and_then(Value::as_str) {
        Some("system-node-critical") => 2_000_001_000,
        Some("system-cluster-critical") => 2_000_000_000,
        None | Some("") => 0,
        Some(_) => return,
    };
    default_missing(spec, "priority", value);
    default_zero(spec, "preemptionPolicy", "PreemptLowerPriority");
}

/// Five minutes on a node that is not ready or unreachable.
fn tolerations(spec: &mut Object) {
    let list = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else {
        return;
    };
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let tolerated = list.iter().any(|toleration| {
            let of = |field| text(toleration, field);
            (of("key") == key || of("key").is_empty())
                && (of("effect") == "NoExecute" || of("effect").is_empty())
        });
        if !tolerated {
            list.push(
                json!({"key": key, "operator": "Exists", "effect": "NoExecute",
                             "tolerationSeconds": 300}),
            );
        }
    }
}

/// The class of service. Upstream: ComputePodQOS.
pub(super) fn qos_class(pod: &Value) -> &'static str {
    if at(pod, "spec.resources").is_object() {
        return of_requirements(&[at(pod, "spec.resources")]);
    }
    let resources: Vec<&Value> = items(pod, "spec.containers")
        .iter()
        .chain(items(pod, "spec.initContainers"))
        .map(|container| at(container, "resources"))
        .collect();
    of_requirements(&resources)
}

fn of_requirements(all: &[&Value]) -> &'static str {
    let (mut requests, mut limits) = ([0i128; 2], [0i128; 2]);
    let mut guaranteed = !all.is_empty();
    let mut any = false;
    for resources in all {
        for (index, name) in ["cpu", "memory"].into_iter().enumerate() {
            let request = amount(at(resources, "requests").get(name));
            let limit = amount(at(resources, "limits").get(name));
            any |= request > 0 || limit > 0;
            guaranteed &= limit > 0;
            requests[index] += request;
            limits[index] += limit;
        }
    }
    match (any, guaranteed && requests == limits) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn amount(quantity: Option<&Value>) -> i128 {
    let text = quantity.and_then(Value::as_str).unwrap_or_default();
    text.parse::<Quantity>()
        .map_or(0, |quantity| i128::from(quantity.milli_value()))
}
