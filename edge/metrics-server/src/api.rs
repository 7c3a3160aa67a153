//! What is served: metrics, discovery, health, our own Prometheus metrics.
//!
//! Upstream: pkg/api and pkg/server, on the generic API server library.

mod asked;
mod body;
mod discovery;
mod encode;
mod gate;
mod negotiate;
mod openapi;
mod options;
mod quantity;
mod query;
mod render;
mod resources;
mod services;
mod status;
mod watch;
mod wire;
mod yaml;

use crate::cluster::Cluster;
use crate::scraper::Ticks;
use crate::selector;
use crate::telemetry::Telemetry;
use body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use k8s::status::{ApiError, GroupResource};
use runtime::auth::{Attributes, Delegated, has_credentials};
use runtime::health::Checks;
use runtime::serve::Peer;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use usage::Store;
use watch::Watches;

pub(crate) use gate::Gate;

pub(crate) type Reply = Response<Body>;

const GROUP: &str = "metrics.k8s.io";
const VERSION: &str = "v1beta1";
const TEXT: &str = "text/plain; charset=utf-8";
/// Upstream: component-base/metrics/http.go, with which a scraper knows a restart.
const PROCESS_START: HeaderName = HeaderName::from_static("process-start-time-unix");
const HOOKS: [&str; 4] = [
    "ping",
    "log",
    "poststarthook/max-in-flight-filter",
    "poststarthook/storage-object-count-tracker-hook",
];

/// Answers requests from the cluster's state and the store.
pub(crate) struct Api {
    cluster: Arc<RwLock<Cluster>>,
    store: Arc<RwLock<Store>>,
    telemetry: Arc<Telemetry>,
    livez: Checks,
    readyz: Checks,
    healthz: Checks,
    watches: Option<Watches>,
    gate: Gate,
    /// Where clients find us, as discovery says.
    address: String,
}

impl Api {
    pub(crate) fn new(
        cluster: Arc<RwLock<Cluster>>,
        store: Arc<RwLock<Store>>,
        telemetry: Arc<Telemetry>,
        ticks: Arc<Ticks>,
        shutdown: CancellationToken,
    ) -> Self {
        let synced = {
            let cluster = Arc::clone(&cluster);
            move || {
                let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
                let missing = match (cluster.nodes_synced(), cluster.pods_synced()) {
                    (true, true) => return Ok(()),
                    (false, _) => "node",
                    (true, false) => "pod",
                };
                Err(format!("cache for {missing} informer has not synced"))
            }
        };
        let started = || {
            let cluster = Arc::clone(&cluster);
            move || {
                let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
                let why = || "1 informers not started yet: [/v1, Resource=pods]".to_owned();
                cluster.pods_synced().then_some(()).ok_or_else(why)
            }
        };
        let ready = {
            let store = Arc::clone(&store);
            move || {
                let ready = store.read().unwrap_or_else(PoisonError::into_inner).ready();
                ready
                    .then_some(())
                    .ok_or_else(|| "no metrics to serve".to_owned())
            }
        };
        let timely = move || {
            let why = || "metric collection didn't finish on time".to_owned();
            ticks.timely(Instant::now()).then_some(()).ok_or_else(why)
        };
        let running = move || {
            let why = || "process is shutting down".to_owned();
            (!shutdown.is_cancelled()).then_some(()).ok_or_else(why)
        };
        Self {
            livez: Checks::new("livez")
                .always(&HOOKS)
                .with("metric-collection-timely", timely)
                .with("metadata-informer-sync", started()),
            readyz: Checks::new("readyz")
                .always(&HOOKS)
                .with("metric-storage-ready", ready)
                .with("metric-informer-sync", synced)
                .with("metadata-informer-sync", started())
                .with("shutdown", running),
            healthz: Checks::new("healthz")
                .always(&HOOKS)
                .with("metadata-informer-sync", started()),
            cluster,
            store,
            telemetry,
            watches: None,
            gate: Gate::default(),
            address: String::new(),
        }
    }

    /// Says in discovery that clients find us there.
    pub(crate) fn found_at(mut self, address: String) -> Self {
        self.address = address;
        self
    }

    /// Lets requests through a gate with limits.
    pub(crate) fn behind(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// Lets pods' metrics be watched; `news` says when the store has something new.
    pub(crate) fn with_watches(
        mut self,
        news: tokio::sync::watch::Receiver<()>,
        shutdown: CancellationToken,
    ) -> Self {
        self.watches = Some(Watches::new(news, shutdown));
        self
    }

    /// Authenticates, authorizes, and answers.
    pub(crate) async fn answer(
        &self,
        head: &Parts,
        peer: Option<&Peer>,
        delegated: &Delegated,
        now: jiff::Timestamp,
    ) -> Reply {
        let verb = verb(head, &Wanted::new(head.uri.path()));
        let work = async {
            let allowed = self.allowed(head, peer, delegated, now);
            allowed.await.unwrap_or_else(|refused| *refused)
        };
        let reply = self.gate.within(head, verb, work).await;
        self.gate.dressed(head, reply)
    }

    async fn allowed(
        &self,
        head: &Parts,
        peer: Option<&Peer>,
        delegated: &Delegated,
        now: jiff::Timestamp,
    ) -> Result<Reply, Box<Reply>> {
        let began = Instant::now();
        let path = head.uri.path();
        let wanted = Wanted::new(path);
        let narrowed = wanted.narrowed(head.uri.query().unwrap_or_default());
        let verb = verb(head, &wanted);
        let attributes = Attributes {
            name: narrowed.as_deref().unwrap_or(wanted.name),
            ..wanted.attributes(verb, path)
        };
        let refused = |error: ApiError| Box::new(status::reply(head, &error));
        let user = delegated.authenticate(&head.headers, peer, now).await;
        let result = match &user {
            Ok(_) => "success",
            Err(_) if has_credentials(&head.headers, peer) => "error",
            Err(_) => "failure",
        };
        self.telemetry.authenticated(result, began.elapsed());
        let user = user.map_err(refused)?;
        let user = delegated
            .impersonate(user, &head.headers, &attributes)
            .await
            .map_err(|error| Box::new(sniffless(status::reply(head, &error))))?;
        let _slot = self.gate.enter(head, verb, &user)?;
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let _counted = (verb != "watch").then(|| self.telemetry.in_flight(!reads));
        let asking = Instant::now();
        let granted = delegated.authorize(&user, &attributes).await;
        let outcome = granted.as_ref().map_or_else(denial, |()| "allowed");
        self.telemetry.authorized(outcome, asking.elapsed());
        granted.map_err(refused)?;
        let reply = self.route(head, now);
        if let Some(asked) = asked::asked(head, &wanted, verb) {
            let (code, bytes) = (reply.status().as_u16(), reply.body().len());
            self.telemetry.answered(asked, code, bytes, began.elapsed());
        }
        Ok(reply)
    }

    /// Answers a request that is allowed.
    pub(crate) fn route(&self, head: &Parts, now: jiff::Timestamp) -> Reply {
        let path = head.uri.path();
        let query = head.uri.query().unwrap_or_default();
        let wanted = Wanted::new(path);
        if !wanted.resource.is_empty() {
            return self
                .resource(head, &wanted, now)
                .unwrap_or_else(|error| status::reply(head, &error));
        }
        if let Some(reply) = services::answer(path, head, &self.address) {
            return reply;
        }
        // Whatever the method. Upstream: these are no resources, but plain handlers.
        let plain = self.health(path, query);
        if let Some(reply) = plain.or_else(|| self.metrics(path, head)) {
            return reply;
        }
        match path {
            "/" | "/index.html" => discovery::paths(StatusCode::OK),
            _ => openapi::answer(path, head, now)
                .unwrap_or_else(|| discovery::paths(StatusCode::NOT_FOUND)),
        }
    }

    /// Upstream never answers as OpenMetrics, but a client that asks for it can read it.
    fn metrics(&self, path: &str, head: &Parts) -> Option<Reply> {
        (path == "/metrics").then_some(())?;
        let (kind, text) = if negotiate::openmetrics(head) {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (kind, self.telemetry.openmetrics())
        } else {
            (runtime::exposition::CLASSIC_TYPE, self.telemetry.classic())
        };
        let mut reply = encode::always_gzipped(head, plain(StatusCode::OK, kind, text));
        let start = self.telemetry.start_seconds();
        reply.headers_mut().insert(PROCESS_START, start.into());
        Some(reply)
    }

    fn health(&self, path: &str, query: &str) -> Option<Reply> {
        let path = path.strip_prefix('/')?;
        let (name, check) = path
            .split_once('/')
            .map_or((path, None), |(n, c)| (n, Some(c)));
        let checks = match name {
            "livez" => &self.livez,
            "readyz" => &self.readyz,
            "healthz" => &self.healthz,
            _ => return None,
        };
        let answer = checks.answer(check, query);
        let code = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match check {
            // A check that there is not is a path that there is not.
            Some(_) if code == StatusCode::NOT_FOUND => None,
            Some(_) if code == StatusCode::OK => Some(plain(code, TEXT, answer.body)),
            _ => Some(text(code, answer.body)),
        }
    }
}

/// What a path under the group's version names; nothing for other paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted<'a> {
    namespace: &'a str,
    resource: &'a str,
    name: &'a str,
    rest: &'a str,
}

impl<'a> Wanted<'a> {
    fn new(path: &'a str) -> Self {
        let inside = path
            .strip_prefix("/apis/metrics.k8s.io/v1beta1/")
            .map(|inside| inside.trim_end_matches('/'))
            .filter(|inside| !inside.is_empty());
        let Some(inside) = inside else {
            return Self::default();
        };
        let scoped = inside
            .strip_prefix("namespaces/")
            .and_then(|rest| rest.split_once('/'))
            .filter(|(_, rest)| !rest.is_empty());
        let (namespace, inside) = scoped.unwrap_or(("", inside));
        let mut parts = inside.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        Self {
            namespace,
            resource: next(),
            name: next(),
            rest: next(),
        }
    }

    /// The one object that a list's field selector leaves. Upstream: RequestInfoFactory.NewRequestInfo.
    fn narrowed(&self, query: &str) -> Option<String> {
        if self.resource.is_empty() || !self.name.is_empty() {
            return None;
        }
        options::numbers(query).ok()?;
        let fields = query::value(query, "fieldSelector")?;
        selector::Fields::exact_name(&fields)
    }

    fn attributes(&self, verb: &'a str, path: &'a str) -> Attributes<'a> {
        if self.resource.is_empty() {
            return Attributes {
                verb,
                path,
                ..Attributes::default()
            };
        }
        Attributes {
            verb,
            path,
            group: GROUP,
            version: VERSION,
            resource: self.resource,
            subresource: self.rest.split('/').next().unwrap_or_default(),
            namespace: self.namespace,
            name: self.name,
        }
    }

    /// The resource as errors name it.
    fn group_resource(&self) -> GroupResource<'a> {
        GroupResource {
            group: GROUP,
            resource: self.resource,
        }
    }
}

/// The verb that authorization asks about. Upstream: RequestInfoFactory.NewRequestInfo.
fn verb(head: &Parts, wanted: &Wanted<'_>) -> &'static str {
    let single = !wanted.name.is_empty();
    let watch = query::flag(head.uri.query().unwrap_or_default(), "watch");
    match head.method {
        Method::GET | Method::HEAD if wanted.resource.is_empty() || single => "get",
        Method::GET | Method::HEAD if watch => "watch",
        Method::GET | Method::HEAD => "list",
        Method::POST if wanted.resource.is_empty() => "post",
        Method::POST => "create",
        Method::PUT if wanted.resource.is_empty() => "put",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if wanted.resource.is_empty() || single => "delete",
        Method::DELETE => "deletecollection",
        Method::OPTIONS if wanted.resource.is_empty() => "options",
        _ => "",
    }
}

/// How a refused authorization counts: nobody said no, but nobody said yes either.
fn denial(error: &ApiError) -> &'static str {
    if error.code == StatusCode::FORBIDDEN {
        "no-opinion"
    } else {
        "error"
    }
}

fn text(code: StatusCode, body: String) -> Reply {
    sniffless(plain(code, TEXT, body))
}

/// Is not to be read as anything else than it says.
fn sniffless(mut reply: Reply) -> Reply {
    reply
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// An answer that says nothing.
fn bare(code: StatusCode) -> Reply {
    let mut reply = Response::new(Body::whole(Bytes::new()));
    *reply.status_mut() = code;
    reply
}

/// An answer with nothing but its type.
fn plain(code: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = bare(code);
    *reply.body_mut() = Body::whole(body.into());
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

#[cfg(test)]
mod tests;
