//! Pods and pod templates. Upstream: pkg/apis/core/v1/defaults.go.

use super::{quantities, volumes};
use crate::json::{
    Object, child_mut, default_missing, default_zero, each_mut, empty, is_zero, object_mut,
};
use serde_json::Value;

const CONTAINER_LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A Pod: the defaults of its spec, and those that only Pods have.
pub(super) fn pod(pod: &mut Value) {
    if let Some(object) = pod.as_object_mut() {
        default_missing(object, "spec", empty());
    }
    let Some(spec) = object_mut(pod, "spec") else {
        return;
    };
    self::spec(spec);
    default_missing(spec, "enableServiceLinks", true);
    let on_host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for key in ["initContainers", "containers"] {
        for container in each_mut(spec, key) {
            requests_from_limits(container);
            if on_host {
                host_ports(container);
            }
        }
    }
}

/// The template of a workload under `key`: `{metadata, spec}`.
pub(super) fn template(parent: &mut Object, key: &str) {
    default_missing(parent, key, empty());
    let Some(template) = child_mut(parent, key) else {
        return;
    };
    super::metadata(template);
    default_missing(template, "spec", empty());
    if let Some(spec) = child_mut(template, "spec") {
        self::spec(spec);
    }
}

/// A PodSpec. Upstream: SetDefaults_PodSpec and what its parts default to.
fn spec(spec: &mut Object) {
    default_zero(spec, "dnsPolicy", "ClusterFirst");
    default_zero(spec, "restartPolicy", "Always");
    default_missing(spec, "securityContext", empty());
    default_missing(spec, "terminationGracePeriodSeconds", 30);
    default_zero(spec, "schedulerName", "default-scheduler");
    service_account(spec);
    quantities::list(spec, "overhead");
    quantities::requirements(spec, "resources");
    for volume in each_mut(spec, "volumes") {
        volumes::volume(volume);
    }
    for key in CONTAINER_LISTS {
        for each in each_mut(spec, key) {
            container(each);
        }
    }
    for flag in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec.get(flag) == Some(&Value::Bool(false)) {
            spec.remove(flag);
        }
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are served.
/// Upstream: pkg/apis/core/v1/conversion.go.
fn service_account(spec: &mut Object) {
    let name = ["serviceAccountName", "serviceAccount"]
        .into_iter()
        .find(|key| !is_zero(spec, key))
        .and_then(|key| spec.get(key).cloned());
    if let Some(name) = name {
        spec.insert("serviceAccount".to_owned(), name.clone());
        spec.insert("serviceAccountName".to_owned(), name);
    }
}

fn container(container: &mut Object) {
    let image = container
        .get("image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let policy = if tag(image) == "latest" {
        "Always"
    } else {
        "IfNotPresent"
    };
    default_zero(container, "imagePullPolicy", policy);
    default_zero(container, "terminationMessagePath", "/dev/termination-log");
    default_zero(container, "terminationMessagePolicy", "File");
    default_missing(container, "resources", empty());
    quantities::requirements(container, "resources");
    for port in each_mut(container, "ports") {
        default_zero(port, "protocol", "TCP");
    }
    for variable in each_mut(container, "env") {
        if let Some(from) = child_mut(variable, "valueFrom") {
            field_ref(from);
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(each) = child_mut(container, key) {
            probe(each);
        }
    }
    if let Some(lifecycle) = child_mut(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(hook) = child_mut(lifecycle, hook) {
                http_get(hook);
            }
        }
    }
}

/// The tag of an image: `latest` if there is neither tag nor digest. Upstream: ParseImageName.
fn tag(image: &str) -> &str {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, ""), |(name, d)| (name, d));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag,
        None if digest.is_empty() && !last.is_empty() => "latest",
        None => "",
    }
}

fn probe(probe: &mut Object) {
    default_zero(probe, "timeoutSeconds", 1);
    default_zero(probe, "periodSeconds", 10);
    default_zero(probe, "successThreshold", 1);
    default_zero(probe, "failureThreshold", 3);
    http_get(probe);
    if let Some(grpc) = child_mut(probe, "grpc") {
        default_missing(grpc, "service", "");
    }
}

fn http_get(handler: &mut Object) {
    if let Some(action) = child_mut(handler, "httpGet") {
        default_zero(action, "path", "/");
        default_zero(action, "scheme", "HTTP");
    }
}

/// `fieldRef.apiVersion` and the divisor of `resourceFieldRef`, which prints even when it is zero.
pub(super) fn field_ref(from: &mut Object) {
    if let Some(field) = child_mut(from, "fieldRef") {
        default_zero(field, "apiVersion", "v1");
    }
    if let Some(resource) = child_mut(from, "resourceFieldRef") {
        let divisor = resource.get("divisor").and_then(quantities::canonical);
        resource.insert(
            "divisor".to_owned(),
            divisor.unwrap_or_else(|| "0".to_owned()).into(),
        );
    }
}

fn requests_from_limits(container: &mut Object) {
    let Some(resources) = child_mut(container, "resources") else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Value::as_object) else {
        return;
    };
    let limits = limits.clone();
    default_missing(resources, "requests", empty());
    if let Some(requests) = child_mut(resources, "requests") {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

fn host_ports(container: &mut Object) {
    for port in each_mut(container, "ports") {
        if let Some(number) = port.get("containerPort").cloned() {
            default_zero(port, "hostPort", number);
        }
    }
}
