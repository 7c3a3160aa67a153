//! The APIServices of the groups that definitions make.
//!
//! Upstream: pkg/controlplane/controller/crdregistration.

use super::condition;
use crate::aggregate::APISERVICES;
use crate::backend::{self, Refused, Write};
use crate::registry::{CUSTOM_GROUP, CUSTOM_VERSION};
use crate::server::Inner;
use crate::stored::Draft;
use crate::verbs::create::timestamp;
use jiff::Timestamp;
use objects::{Expect, ListQuery};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LABEL: &str = "kube-aggregator.kubernetes.io/automanaged";

/// Makes the APIServices that are missing, and removes those that nothing needs.
pub(super) async fn keep(inner: &Inner, definitions: &[Value], now: Timestamp) {
    let mut wanted = BTreeSet::new();
    for definition in definitions {
        if !condition::is_true(definition, "Established") {
            continue;
        }
        let versions = definition["spec"]["versions"].as_array();
        for version in versions.into_iter().flatten() {
            if version["served"] == true
                && let (Some(group), Some(version)) = (
                    definition["spec"]["group"].as_str(),
                    version["name"].as_str(),
                )
            {
                wanted.insert((group.to_owned(), version.to_owned()));
            }
        }
    }
    let query = ListQuery {
        collection: APISERVICES,
        prefix: "",
        after: None,
        at: None,
    };
    let managed = inner.backend.list(query, None, |stored| {
        stored.meta.label(LABEL) == Some("true")
    });
    for item in managed.map(|page| page.items).unwrap_or_default() {
        let stored = item.payload;
        let needed = wanted
            .iter()
            .any(|(group, version)| *stored.meta.name == format!("{version}.{group}"));
        if !needed {
            write(inner, &stored.meta.name, Expect::At(stored.revision), None).await;
        }
    }
    for (group, version) in wanted {
        let name = format!("{version}.{group}");
        let there = inner.backend.get(APISERVICES, &backend::key("", &name));
        if there.is_none() {
            let object = object(&name, &group, &version, now);
            write(inner, &name, Expect::Absent, Some(&object)).await;
        }
    }
}

async fn write(inner: &Inner, name: &str, expect: Expect, object: Option<&Value>) {
    let write = Write {
        collection: APISERVICES.into(),
        key: backend::key("", name),
        expect,
        draft: object.map(Draft::new),
    };
    match inner.backend.write(write).await {
        Ok(_) | Err(Refused::Mismatch(_)) => {}
        Err(error) => tracing::warn!(%error, name, "cannot write an APIService"),
    }
}

fn object(name: &str, group: &str, version: &str, now: Timestamp) -> Value {
    json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {
            "name": name, "uid": uuid::Uuid::new_v4().to_string(),
            "creationTimestamp": timestamp(now), "labels": {LABEL: "true"},
        },
        "spec": {
            "group": group, "version": version,
            "groupPriorityMinimum": CUSTOM_GROUP, "versionPriority": CUSTOM_VERSION,
        },
        "status": {"conditions": [{
            "type": "Available", "status": "True", "lastTransitionTime": timestamp(now),
            "reason": "Local", "message": "Local APIServices are always available",
        }]},
    })
}
