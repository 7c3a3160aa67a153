//! Deleting a definition takes its objects with it.
//!
//! Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go (Delete),
//! pkg/controller/finalizer/crd_finalizer.go.

use super::condition::{self, Condition};
use super::controller::update;
use crate::backend::Payload;
use crate::registry::Served;
use crate::server::{Inner, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use jiff::Timestamp;
use lab_auth::User;
use objects::ListQuery;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tower::Service;

const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What is noted in an object before it is deleted: a definition waits for its objects to go.
pub(crate) fn before_delete(resource: &Served, mut object: Value, now: Timestamp) -> Value {
    let definition = resource.is("apiextensions.k8s.io", "customresourcedefinitions");
    if !definition || is_going(&object) {
        return object;
    }
    if !waits(&object) {
        match object["metadata"]["finalizers"].as_array_mut() {
            Some(list) => list.push(FINALIZER.into()),
            None => object["metadata"]["finalizers"] = json!([FINALIZER]),
        }
    }
    let words =
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    let pending = Condition::new("Terminating", true, "InstanceDeletionPending", words);
    condition::set(&mut object, &pending, now);
    object
}

/// Whether an object is being deleted.
pub(super) fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Whether a definition still waits for its objects.
pub(super) fn waits(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER))
}

/// Goes on with the deletion of a definition: asks for the deletion of its objects, and lets it go
/// once they have gone. Returns whether it must be looked at again.
pub(super) async fn go_on(inner: &Arc<Inner>, stored: &Payload, now: Timestamp) -> bool {
    let mut definition = stored.value();
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let group = text(&definition["spec"]["group"]);
    let plural = text(&definition["spec"]["names"]["plural"]);
    let done = if condition::is_true(&definition, "Established") {
        let namespaces = namespaces(inner, &format!("{group}/{plural}"));
        if !namespaces.is_empty() {
            let words = "CustomResource deletion is in progress";
            let progress = Condition::new("Terminating", true, "InstanceDeletionInProgress", words);
            condition::set(&mut definition, &progress, now);
            update(inner, stored, &definition).await;
            delete_all(inner, &definition, &namespaces).await;
            return true;
        }
        Condition::new(
            "Terminating",
            false,
            "InstanceDeletionCompleted",
            "removed all instances",
        )
    } else {
        let words = "resource was never established";
        Condition::new("Terminating", false, "NeverEstablished", words)
    };
    condition::set(&mut definition, &done, now);
    if let Some(finalizers) = definition["metadata"]["finalizers"].as_array_mut() {
        finalizers.retain(|one| one != FINALIZER);
    }
    update(inner, stored, &definition).await;
    false
}

/// The namespaces that have objects of a collection; an empty name for those without a namespace.
fn namespaces(inner: &Inner, collection: &str) -> BTreeSet<String> {
    let query = ListQuery {
        collection,
        prefix: "",
        after: None,
        at: None,
    };
    let page = inner.backend.list(query, None, |_| true);
    let items = page.map(|page| page.items).unwrap_or_default();
    items
        .iter()
        .map(|item| item.payload.meta.namespace.to_string())
        .collect()
}

/// Asks, as any client would, so that finalizers and grace count.
async fn delete_all(inner: &Arc<Inner>, definition: &Value, namespaces: &BTreeSet<String>) {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let group = text(&definition["spec"]["group"]);
    let plural = text(&definition["spec"]["names"]["plural"]);
    let versions = definition["spec"]["versions"].as_array();
    let mut versions = versions.into_iter().flatten();
    let Some(version) = versions.find(|version| version["served"] == true) else {
        tracing::warn!(
            group,
            plural,
            "no version is served, so objects cannot be deleted"
        );
        return;
    };
    let version = text(&version["name"]);
    let user = User::new("system:apiserver", &["system:masters"]);
    for namespace in namespaces {
        let path = if namespace.is_empty() {
            format!("/apis/{group}/{version}/{plural}")
        } else {
            format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}")
        };
        let server = Server {
            inner: inner.clone(),
        };
        let Ok(request) = Request::delete(&path).body(Empty::<Bytes>::new()) else {
            continue;
        };
        match server.as_user(user.clone()).call(request).await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                tracing::warn!(path, status = %response.status(), "objects cannot be deleted");
            }
            Err(never) => match never {},
        }
    }
}
