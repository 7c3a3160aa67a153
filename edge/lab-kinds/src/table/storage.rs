//! Volumes, claims and group `storage.k8s.io`.

use super::{age, name};
use crate::json::{at, flag, has, items, text};
use jiff::Timestamp;
use serde_json::Value;

pub(super) fn cells(resource: &str, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    Some(match resource {
        "persistentvolumes" => volume(object, now),
        "persistentvolumeclaims" => claim(object, now),
        "storageclasses" => class(object, now),
        "csidrivers" => driver(object, now),
        "csinodes" => {
            vec![
                name(object),
                items(object, "spec.drivers").len().into(),
                age(object, now),
            ]
        }
        "volumeattachments" => vec![
            name(object),
            text(object, "spec.attacher").into(),
            text(object, "spec.source.persistentVolumeName").into(),
            text(object, "spec.nodeName").into(),
            flag(object, "status.attached").into(),
            age(object, now),
        ],
        "volumeattributesclasses" => {
            vec![
                name(object),
                text(object, "driverName").into(),
                age(object, now),
            ]
        }
        _ => return None,
    })
}

fn unset<'a>(object: &'a Value, path: &str) -> &'a str {
    at(object, path).as_str().unwrap_or("<unset>")
}

fn phase(object: &Value) -> Value {
    if has(object, "metadata.deletionTimestamp") {
        "Terminating".into()
    } else {
        text(object, "status.phase").into()
    }
}

/// Short names, in upstream's order. Upstream: GetAccessModesAsString.
fn access_modes(modes: &[Value]) -> String {
    let names = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let short: Vec<&str> = names
        .iter()
        .filter(|(long, _)| modes.iter().any(|m| m == long))
        .map(|n| n.1)
        .collect();
    short.join(",")
}

/// The class, from its old annotation first. Upstream: GetPersistentVolumeClass.
fn class_of(object: &Value) -> &str {
    let annotation = at(object, "metadata.annotations")
        .get("volume.beta.kubernetes.io/storage-class")
        .and_then(Value::as_str);
    annotation.unwrap_or_else(|| text(object, "spec.storageClassName"))
}

fn volume(object: &Value, now: Timestamp) -> Vec<Value> {
    let claim = at(object, "spec.claimRef");
    let reference = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", text(claim, "namespace"), text(claim, "name"))
    };
    vec![
        name(object),
        at(object, "spec.capacity.storage")
            .as_str()
            .unwrap_or("0")
            .into(),
        access_modes(items(object, "spec.accessModes")).into(),
        text(object, "spec.persistentVolumeReclaimPolicy").into(),
        phase(object),
        reference.into(),
        class_of(object).into(),
        unset(object, "spec.volumeAttributesClassName").into(),
        text(object, "status.reason").into(),
        age(object, now),
        unset(object, "spec.volumeMode").into(),
    ]
}

fn claim(object: &Value, now: Timestamp) -> Vec<Value> {
    let volume = text(object, "spec.volumeName");
    let (capacity, modes) = if volume.is_empty() {
        ("", String::new())
    } else {
        (
            at(object, "status.capacity.storage")
                .as_str()
                .unwrap_or("0"),
            access_modes(items(object, "status.accessModes")),
        )
    };
    vec![
        name(object),
        phase(object),
        volume.into(),
        capacity.into(),
        modes.into(),
        class_of(object).into(),
        unset(object, "spec.volumeAttributesClassName").into(),
        age(object, now),
        unset(object, "spec.volumeMode").into(),
    ]
}

fn class(object: &Value, now: Timestamp) -> Vec<Value> {
    let annotations = at(object, "metadata.annotations");
    let is_default = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    .iter()
    .any(|key| annotations.get(key).and_then(Value::as_str) == Some("true"));
    let mark = if is_default { " (default)" } else { "" };
    vec![
        format!("{}{mark}", text(object, "metadata.name")).into(),
        text(object, "provisioner").into(),
        at(object, "reclaimPolicy")
            .as_str()
            .unwrap_or("Delete")
            .into(),
        at(object, "volumeBindingMode")
            .as_str()
            .unwrap_or("Immediate")
            .into(),
        flag(object, "allowVolumeExpansion").into(),
        age(object, now),
    ]
}

fn driver(object: &Value, now: Timestamp) -> Vec<Value> {
    let join = |list: &[Value], field: Option<&str>| {
        let all: Vec<&str> = list
            .iter()
            .map(|each| field.map_or(each, |field| at(each, field)))
            .map(|each| each.as_str().unwrap_or_default())
            .collect();
        all.join(",")
    };
    let requests = if has(object, "spec.tokenRequests") {
        join(items(object, "spec.tokenRequests"), Some("audience"))
    } else {
        "<unset>".to_owned()
    };
    vec![
        name(object),
        at(object, "spec.attachRequired")
            .as_bool()
            .unwrap_or(true)
            .into(),
        flag(object, "spec.podInfoOnMount").into(),
        flag(object, "spec.storageCapacity").into(),
        requests.into(),
        flag(object, "spec.requiresRepublish").into(),
        super::or(
            &join(items(object, "spec.volumeLifecycleModes"), None),
            "<none>",
        )
        .into(),
        age(object, now),
    ]
}
