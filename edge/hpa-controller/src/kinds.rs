//! The kinds of autoscalers: autoscaling/v2's, and ours, which in memory are autoscaling/v2 objects too.
//!
//! Not here: when ours may not act (`standby`), and what is decided.

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s::autoscaling::validate;
use k8s::own_kind;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DynamicObject, PostParams, TypeMeta};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde_json::Value;
use std::ops::Deref;
use std::str::FromStr;

/// A kind of autoscalers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `HorizontalPodAutoscaler` of autoscaling/v2.
    Autoscaling,
    /// `HorizontalPodAutoscaler` of evenkeel.dev/v1.
    Evenkeel,
}

/// Where an autoscaler is: its kind, namespace and name.
pub(crate) type Key = (Kind, String, String);

impl Kind {
    const ALL: [Self; 2] = [Self::Autoscaling, Self::Evenkeel];

    /// Its group and version.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Autoscaling => "autoscaling/v2",
            Self::Evenkeel => own_kind::API_VERSION,
        }
    }

    /// Its resource as client-go names it.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Self::Autoscaling => "horizontalpodautoscalers.autoscaling",
            Self::Evenkeel => "horizontalpodautoscalers.evenkeel.dev",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|k| k.api_version() == text);
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::api_version).join(" and ");
            format!("no kind of autoscalers is called that: there are {all}")
        })
    }
}

/// An autoscaler of any kind, as the rest of the controller takes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Autoscaler {
    pub(crate) kind: Kind,
    hpa: HorizontalPodAutoscaler,
    /// Why ours may not be decided on.
    pub(crate) problems: Vec<String>,
    /// Whether its status is about an older specification, or does not answer what was asked.
    pub(crate) stale: bool,
}

impl Deref for Autoscaler {
    type Target = HorizontalPodAutoscaler;

    fn deref(&self) -> &HorizontalPodAutoscaler {
        &self.hpa
    }
}

impl From<HorizontalPodAutoscaler> for Autoscaler {
    fn from(mut hpa: HorizontalPodAutoscaler) -> Self {
        // Nobody reads these, and a write without them leaves them as they are.
        hpa.metadata.managed_fields = None;
        Self {
            kind: Kind::Autoscaling,
            hpa,
            problems: Vec::new(),
            stale: false,
        }
    }
}

impl Autoscaler {
    /// One of ours. The API server checked it, unless its definition is old or it evaluates no rules.
    pub(crate) fn own(object: &Value, zero_allowed: bool) -> Self {
        let plain = own_kind::to_plain(object);
        let mut problems: Vec<String> = validate(&plain, zero_allowed)
            .iter()
            .map(ToString::to_string)
            .collect();
        let metadata = plain["metadata"].clone();
        let mut hpa = serde_json::from_value(plain).unwrap_or_else(|error| {
            problems.push(error.to_string());
            HorizontalPodAutoscaler {
                metadata: serde_json::from_value(metadata).unwrap_or_default(),
                ..HorizontalPodAutoscaler::default()
            }
        });
        hpa.metadata.managed_fields = None;
        let (metadata, status) = (&object["metadata"], &object["status"]);
        let stale = metadata["generation"] != status["observedGeneration"]
            || metadata["annotations"][own_kind::HANDOVER] != status["handover"];
        Self {
            kind: Kind::Evenkeel,
            hpa,
            problems,
            stale,
        }
    }

    pub(crate) fn key(&self) -> Key {
        let (namespace, name) = crate::reconcile::names(self);
        (self.kind, namespace.to_owned(), name.to_owned())
    }

    /// What events refer to.
    pub(crate) fn about(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(self.kind.api_version().to_owned()),
            ..runtime::events::reference(&self.hpa)
        }
    }
}

/// The resource of our kind.
fn own_resource() -> ApiResource {
    let kind = GroupVersionKind::gvk(own_kind::GROUP, own_kind::VERSION, own_kind::KIND);
    ApiResource::from_gvk_with_plural(&kind, own_kind::PLURAL)
}

/// Ours in one namespace.
pub(crate) fn own_api(client: &Client, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &own_resource())
}

/// What became of the autoscalers of a kind.
pub(crate) type Heard = (Kind, Result<Event<Autoscaler>, watcher::Error>);

/// Watches all autoscalers of a kind.
pub(crate) fn watch(client: Client, kind: Kind, zero_allowed: bool) -> BoxStream<'static, Heard> {
    let config = watcher::Config::default();
    match kind {
        Kind::Autoscaling => {
            let api: Api<HorizontalPodAutoscaler> = Api::all(client);
            let events = watcher::watcher(api, config).default_backoff();
            let each = move |event: Result<_, _>| (kind, event.map(|e| each(e, Autoscaler::from)));
            events.map(each).boxed()
        }
        Kind::Evenkeel => {
            let api: Api<DynamicObject> = Api::all_with(client, &own_resource());
            let events = watcher::watcher(api, config).default_backoff();
            let one = move |object| dynamic(&object, zero_allowed);
            let each = move |event: Result<_, _>| (kind, event.map(|e| each(e, one)));
            events.map(each).boxed()
        }
    }
}

/// One of ours as the API gives it.
pub(crate) fn dynamic(object: &DynamicObject, zero_allowed: bool) -> Autoscaler {
    let value = serde_json::to_value(object).unwrap_or_default();
    Autoscaler::own(&value, zero_allowed)
}

fn each<A, B>(event: Event<A>, one: impl Fn(A) -> B) -> Event<B> {
    match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(one(object)),
        Event::Apply(object) => Event::Apply(one(object)),
        Event::Delete(object) => Event::Delete(one(object)),
    }
}

/// Whether there is no such kind.
pub(crate) fn is_missing(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Writes a status, and with it what is to be remembered.
///
/// Through `/status` a custom resource's annotations cannot be changed: what is remembered is in the status of ours.
pub(crate) async fn put_status(
    client: &Client,
    kind: Kind,
    changed: &HorizontalPodAutoscaler,
    zero_allowed: bool,
) -> kube::Result<Autoscaler> {
    let (namespace, name) = crate::reconcile::names(changed);
    let params = PostParams::default();
    match kind {
        Kind::Autoscaling => {
            let api: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), namespace);
            let written = api.replace_status(name, &params, changed).await;
            written.map(Autoscaler::from)
        }
        Kind::Evenkeel => {
            let object = DynamicObject {
                types: Some(TypeMeta {
                    api_version: own_kind::API_VERSION.to_owned(),
                    kind: own_kind::KIND.to_owned(),
                }),
                metadata: ObjectMeta {
                    name: changed.metadata.name.clone(),
                    namespace: changed.metadata.namespace.clone(),
                    uid: changed.metadata.uid.clone(),
                    resource_version: changed.metadata.resource_version.clone(),
                    ..ObjectMeta::default()
                },
                data: serde_json::json!({"status": own_kind::status(changed)}),
            };
            let api = own_api(client, namespace);
            let written = api.replace_status(name, &params, &object).await;
            written.map(|object| dynamic(&object, zero_allowed))
        }
    }
}

#[cfg(test)]
mod tests;
