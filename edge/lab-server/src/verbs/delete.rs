//! delete and deletecollection: at once, after a grace period, or once finalizers are gone.
//!
//! Upstream: apiserver/pkg/registry/rest/delete.go, registry/generic/registry/store.go,
//! pkg/registry/core/{pod/strategy.go,namespace/storage/storage.go}.

use crate::backend::{Refused, Write};
use crate::body::{self, Reply};
use crate::call::Call;
use crate::filter::Filter;
use crate::stored::{Draft, Stored};
use crate::verbs::create::timestamp;
use crate::verbs::{input, read};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use k8s::status::{ApiError, GroupResource};
use objects::Expect;
use serde_json::{Value, json};
use std::sync::Arc;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
/// How often a deletion is decided anew when others change the object meanwhile.
const TRIES: usize = 10;
/// Kinds whose deletion answers with the object. Upstream: ReturnDeletedObject.
const RETURNED: [&str; 7] = [
    "pods",
    "services",
    "serviceaccounts",
    "podtemplates",
    "persistentvolumes",
    "persistentvolumeclaims",
    "resourcequotas",
];

/// Answers a delete.
pub(crate) async fn delete(call: &Call, bytes: &[u8]) -> Reply {
    let options = Options::parse(call, bytes)?;
    if call.resource.is("", "namespaces")
        && ["default", "kube-system", "kube-public"].contains(&call.name())
    {
        let why = "this namespace may not be deleted";
        return Err(ApiError::forbidden(call.resource.named(), call.name(), why));
    }
    match delete_object(call, &options).await? {
        Deleted::Gone(stored) if !returned(call) => {
            Ok(body::json(StatusCode::OK, &success(call, &stored)))
        }
        Deleted::Gone(stored) | Deleted::Going(stored) => call.answer(StatusCode::OK, &stored),
        Deleted::Dry(value) => call.answer_value(StatusCode::OK, value),
    }
}

/// Answers a deletecollection.
pub(crate) async fn delete_collection(call: &Call, bytes: &[u8]) -> Reply {
    let options = Options::parse(call, bytes)?;
    let (items, _) = read::all_at(call, &Filter::of(call)?)?;
    for stored in items {
        let mut one = call.clone();
        one.path.name = Some(stored.meta.name.to_string());
        one.path.namespace =
            Some(stored.meta.namespace.to_string()).filter(|namespace| !namespace.is_empty());
        match delete_object(&one, &options).await {
            Err(error) if error.code != 404 => return Err(error),
            _ => {}
        }
    }
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"kind": call.resource.resource},
    });
    Ok(body::json(StatusCode::OK, &status))
}

fn returned(call: &Call) -> bool {
    let core = call.resource.group.is_empty();
    (core && RETURNED.contains(&call.resource.resource.as_str()))
        || call.resource.group == "storage.k8s.io"
}

fn success(call: &Call, stored: &Stored) -> Value {
    let GroupResource { group, resource } = call.resource.named();
    let mut details = json!({"name": call.name(), "kind": resource, "uid": &*stored.meta.uid});
    if !group.is_empty() {
        details["group"] = group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// What a client says about a deletion.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) grace: Option<i64>,
    propagation: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    dry_run: bool,
}

impl Options {
    fn parse(call: &Call, bytes: &[u8]) -> Result<Self, ApiError> {
        let body = input::parse(call, bytes)?;
        let mut options = Self::from_object(&body)?;
        options.grace = options
            .grace
            .or_else(|| call.query.number("gracePeriodSeconds"));
        let policy = call.query.get("propagationPolicy").map(str::to_owned);
        options.propagation = options.propagation.or(policy);
        options.dry_run |= call.dry_run()?;
        Ok(options)
    }

    /// Reads a `DeleteOptions` object.
    pub(crate) fn from_object(body: &Value) -> Result<Self, ApiError> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut propagation = text(&body["propagationPolicy"]);
        if let Some(orphan) = body["orphanDependents"].as_bool() {
            propagation = Some(if orphan { "Orphan" } else { "Background" }.to_owned());
        }
        if let Some(policy) = &propagation
            && !["Orphan", "Background", "Foreground"].contains(&policy.as_str())
        {
            let error = k8s::status::FieldError::not_supported(
                "propagationPolicy",
                &json!(policy),
                &["Background", "Foreground", "Orphan"],
            );
            return Err(ApiError::invalid(
                "meta.k8s.io",
                "DeleteOptions",
                "",
                &[error],
            ));
        }
        Ok(Self {
            grace: body["gracePeriodSeconds"].as_i64(),
            propagation,
            uid: text(&body["preconditions"]["uid"]),
            resource_version: text(&body["preconditions"]["resourceVersion"]),
            dry_run: body["dryRun"]
                .as_array()
                .is_some_and(|list| !list.is_empty()),
        })
    }
}

/// What a deletion left.
#[derive(Debug)]
pub(crate) enum Deleted {
    /// Nothing; this is what was there.
    Gone(Arc<Stored>),
    /// The object, until somebody finishes it.
    Going(Arc<Stored>),
    /// The object as it would be.
    Dry(Value),
}

/// Deletes the call's object.
pub(crate) async fn delete_object(call: &Call, options: &Options) -> Result<Deleted, ApiError> {
    for _ in 0..TRIES {
        let stored = call.current()?;
        check_preconditions(call, options, &stored)?;
        let old = crate::crd::before_delete(&call.resource, stored.value(), call.now);
        let plan = plan(call, &old, options);
        let draft = match &plan {
            Plan::Nothing => return Ok(Deleted::Going(stored)),
            Plan::Remove => None,
            Plan::Update(new) => Some(Draft::new(new)),
        };
        if options.dry_run {
            return Ok(Deleted::Dry(match plan {
                Plan::Update(new) => new,
                _ => old,
            }));
        }
        let write = Write {
            collection: call.resource.collection.clone(),
            key: call.key(),
            expect: Expect::At(stored.revision),
            draft,
        };
        match call.inner.backend.write(write).await {
            Ok(written) => {
                return Ok(match written.stored {
                    Some(stored) => Deleted::Going(stored),
                    None => Deleted::Gone(stored),
                });
            }
            Err(Refused::Mismatch(_)) => {}
            Err(error) => return Err(ApiError::internal(error)),
        }
    }
    Err(ApiError::stale(call.resource.named(), call.name()))
}

fn check_preconditions(call: &Call, options: &Options, stored: &Stored) -> Result<(), ApiError> {
    let conflict = |what: &str, wanted: &str, actual: &str| {
        let why = format!(
            "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {actual}"
        );
        Err(ApiError::conflict(call.resource.named(), call.name(), &why))
    };
    match (&options.uid, &options.resource_version) {
        (Some(uid), _) if **uid != *stored.meta.uid => conflict("UID", uid, &stored.meta.uid),
        (_, Some(version)) if *version != stored.revision.to_string() => {
            conflict("ResourceVersion", version, &stored.revision.to_string())
        }
        _ => Ok(()),
    }
}

/// What a deletion does to an object.
enum Plan {
    Remove,
    Update(Value),
    Nothing,
}

fn plan(call: &Call, old: &Value, options: &Options) -> Plan {
    let finalizers = finalizers(old, options);
    let pod = call.resource.is("", "pods");
    let going = old["metadata"]["deletionTimestamp"].is_string();
    let before = old["metadata"]["deletionGracePeriodSeconds"]
        .as_i64()
        .unwrap_or(0);
    let grace = match (pod, going, options.grace) {
        (true, false, _) => pod_grace(old, options),
        (true, true, Some(wanted)) => wanted.max(0).min(before),
        (true, true, None) => before,
        (false, ..) => 0,
    };
    let waits = call.resource.is("", "namespaces")
        && old["spec"]["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
    if grace == 0 && finalizers.is_empty() && !waits {
        return Plan::Remove;
    }
    let mut new = old.clone();
    if finalizers.is_empty() {
        if let Some(metadata) = input::metadata(&mut new) {
            metadata.remove("finalizers");
        }
    } else {
        new["metadata"]["finalizers"] = json!(finalizers);
    }
    if !going || grace < before {
        mark(&mut new, call.now, grace);
        if waits {
            new["status"]["phase"] = "Terminating".into();
        }
    }
    if new == *old {
        Plan::Nothing
    } else {
        Plan::Update(new)
    }
}

/// Sets when an object shall be gone.
fn mark(object: &mut Value, now: Timestamp, grace: i64) {
    let at = now
        .checked_add(SignedDuration::from_secs(grace))
        .unwrap_or(now);
    let first = !object["metadata"]["deletionTimestamp"].is_string();
    object["metadata"]["deletionTimestamp"] = timestamp(at).into();
    object["metadata"]["deletionGracePeriodSeconds"] = grace.into();
    if let (true, Some(generation)) = (first, object["metadata"]["generation"].as_i64()) {
        object["metadata"]["generation"] = (generation + 1).into();
    }
}

/// Upstream: podStrategy.CheckGracefulDelete.
fn pod_grace(pod: &Value, options: &Options) -> i64 {
    let wanted = options
        .grace
        .or_else(|| pod["spec"]["terminationGracePeriodSeconds"].as_i64())
        .unwrap_or(0);
    let unscheduled = pod["spec"]["nodeName"].as_str().unwrap_or("").is_empty();
    let over = matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    );
    match wanted {
        _ if unscheduled || over => 0,
        negative if negative < 0 => 1,
        seconds => seconds,
    }
}

/// Upstream: deletionFinalizersForGarbageCollection.
fn finalizers(object: &Value, options: &Options) -> Vec<String> {
    let present = object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten();
    let mut all: Vec<String> = present
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let Some(policy) = options.propagation.as_deref() else {
        return all;
    };
    all.retain(|name| name != FOREGROUND && name != ORPHAN);
    match policy {
        "Foreground" => all.push(FOREGROUND.to_owned()),
        "Orphan" => all.push(ORPHAN.to_owned()),
        _ => {}
    }
    all
}
