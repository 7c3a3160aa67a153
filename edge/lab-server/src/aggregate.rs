//! The aggregation layer: groups that other servers answer, registered by APIServices.
//!
//! A request for such a group is authenticated and authorized here, then passed on over TLS to a
//! ready endpoint of the APIService's Service ([`forward`]). [`available`] keeps asking whether
//! somebody answers, and what; [`entry`] puts that into aggregated discovery.
//!
//! Upstream: kube-aggregator (v1.36), with --enable-aggregator-routing.

mod available;
mod check;
mod connect;
mod discovery;
mod endpoint;
mod forward;
mod openapi;
mod remote;
#[cfg(test)]
mod tests;

pub(crate) use discovery::entry;
pub(crate) use openapi::index as openapi_index;
pub(crate) use remote::{APISERVICES, Remote};

use crate::body::{Body, Reply};
use crate::server::Inner;
use anyhow::Context;
use connect::{Client, Connector, Tls};
use discovery::Discovered;
use http::Request;
use jiff::Timestamp;
use lab_auth::pki::Authority;
use lab_auth::{Attributes, User};
use remote::Trust;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Clients that are remembered; there are few APIServices.
const CLIENTS: usize = 64;

/// What the aggregation layer remembers.
#[derive(Debug)]
pub(crate) struct Aggregator {
    tls: Tls,
    clients: Mutex<HashMap<(String, Trust), Arc<Client>>>,
    /// What backends said they serve, by the name of the APIService.
    discovered: RwLock<BTreeMap<String, Arc<Discovered>>>,
    turn: AtomicUsize,
}

impl Aggregator {
    /// An aggregator that shows itself with a front-proxy certificate.
    pub(crate) fn new(authority: &Authority, now: Timestamp) -> anyhow::Result<Self> {
        let identity = authority
            .front_proxy_client_certificate(now)
            .context("the front proxy's certificate")?;
        Ok(Self {
            tls: Tls::new(identity),
            clients: Mutex::default(),
            discovered: RwLock::default(),
            turn: AtomicUsize::new(0),
        })
    }

    /// The client for an APIService's backends, with its connections.
    fn client(&self, remote: &Remote) -> anyhow::Result<Arc<Client>> {
        let key = (remote.server_name(), remote.trust.clone());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        let config = self.tls.config(&remote.trust)?;
        let client = Arc::new(connect::client(Connector::new(config, &key.0)?));
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// Endpoints take turns.
    fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn discovered(&self, name: &str) -> Option<Arc<Discovered>> {
        let all = self
            .discovered
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }

    fn change_discovered(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Discovered>>)) {
        change(
            &mut self
                .discovered
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

/// Begins to watch over the availability of backends, until the server's shutdown.
pub(crate) fn start(inner: &Arc<Inner>) {
    tokio::spawn(available::run(inner.clone()));
}

/// The backend of a path that is no resource: `/apis/GROUP/VERSION` or its OpenAPI document.
pub(crate) fn claims(inner: &Inner, path: &str) -> Option<Arc<Remote>> {
    let path = path.strip_prefix("/openapi/v3").unwrap_or(path);
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (root, group, version) = (parts.next()?, parts.next()?, parts.next()?);
    if root != "apis" || parts.next().is_some() {
        return None;
    }
    inner.registry().remote(group, version).cloned()
}

/// Answers a path that is no resource but a backend's.
pub(crate) async fn other(
    inner: &Arc<Inner>,
    user: &User,
    remote: &Remote,
    request: Request<Body>,
) -> Reply {
    let verb = request.method().as_str().to_ascii_lowercase();
    let verb = if verb == "head" { "get" } else { &verb };
    let path = request.uri().path().to_owned();
    inner
        .access
        .authorize(&inner.backend, &Attributes::path(user, verb, &path))?;
    forward::forward(inner, user, remote, request).await
}

/// Answers a request for a backend's resource, which is authorized already.
pub(crate) async fn resource(
    inner: &Arc<Inner>,
    user: &User,
    remote: &Remote,
    request: Request<Body>,
) -> Reply {
    forward::forward(inner, user, remote, request).await
}
