//! Volume sources. Upstream: SetDefaults_Volume and the sources' own functions.

use super::{pod, quantities};
use crate::json::{Object, child_mut, default_missing, default_zero, each_mut, empty};
use serde_json::Value;

/// 0644.
const MODE: i64 = 0o644;
const AN_HOUR: i64 = 3600;

pub(super) fn volume(volume: &mut Object) {
    if volume.keys().all(|key| key == "name") {
        volume.insert("emptyDir".to_owned(), empty());
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = child_mut(volume, source) {
            default_missing(source, "defaultMode", MODE);
            downward_items(source);
            projections(source);
        }
    }
    if let Some(directory) = child_mut(volume, "emptyDir") {
        canonical(directory, "sizeLimit");
    }
    if let Some(path) = child_mut(volume, "hostPath") {
        default_missing(path, "type", "");
    }
    network_sources(volume);
}

fn network_sources(volume: &mut Object) {
    if let Some(iscsi) = child_mut(volume, "iscsi") {
        default_zero(iscsi, "iscsiInterface", "default");
    }
    if let Some(rbd) = child_mut(volume, "rbd") {
        default_zero(rbd, "pool", "rbd");
        default_zero(rbd, "user", "admin");
        default_zero(rbd, "keyring", "/etc/ceph/keyring");
    }
    if let Some(claim) = child_mut(volume, "ephemeral")
        .and_then(|ephemeral| child_mut(ephemeral, "volumeClaimTemplate"))
    {
        super::metadata(claim);
        if let Some(spec) = child_mut(claim, "spec") {
            claim_spec(spec);
        }
    }
}

/// A PersistentVolumeClaim's spec.
pub(super) fn claim_spec(spec: &mut Object) {
    default_missing(spec, "volumeMode", "Filesystem");
    default_missing(spec, "resources", empty());
    quantities::requirements(spec, "resources");
}

fn downward_items(source: &mut Object) {
    for item in each_mut(source, "items") {
        pod::field_ref(item);
    }
}

fn projections(source: &mut Object) {
    for projection in each_mut(source, "sources") {
        if let Some(token) = child_mut(projection, "serviceAccountToken") {
            default_missing(token, "expirationSeconds", AN_HOUR);
        }
        if let Some(downward) = child_mut(projection, "downwardAPI") {
            downward_items(downward);
        }
    }
}

fn canonical(object: &mut Object, key: &str) {
    if let Some(text) = object.get(key).and_then(quantities::canonical) {
        object.insert(key.to_owned(), Value::String(text));
    }
}
