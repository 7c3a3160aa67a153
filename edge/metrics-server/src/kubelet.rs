//! Asks kubelets what they measured: one connection kept per node, bounded answers, plain errors.
//!
//! Upstream: pkg/scraper/client/resource/client.go.

mod body;
mod connect;
mod exchange;
mod summary;
mod trouble;

pub(crate) use summary::read as read_summary;
pub(crate) use trouble::Trouble;

use crate::args::KubeletArgs;
use crate::cluster::Node;
use anyhow::Context;
use body::{Held, Room};
use bytes::Bytes;
use connect::{Connector, Wire};
use exchange::{Space, Taken, exchange};
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::Empty;
use kube::Config;
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const RESOURCE_PATH: &str = "/metrics/resource";
const SUMMARY_PATH: &str = "/stats/summary?only_cpu_and_memory=true";

/// What a kubelet answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// Whether the body is the JSON of `/stats/summary` rather than the text of `/metrics/resource`.
    pub(crate) summary: bool,
    /// Its share of the memory for bodies.
    _held: Held,
}

impl Answer {
    fn of((body, held): Taken, summary: bool) -> Self {
        Self {
            body,
            summary,
            _held: held,
        }
    }
}

/// All kubelets.
pub(crate) struct Kubelets {
    connector: Connector,
    credentials: Credentials,
    address_types: Vec<String>,
    port: u16,
    use_status_port: bool,
    slots: Mutex<HashMap<Box<str>, Arc<Slot>>>,
    room: Room,
    /// For those that failed before: what they send may not keep others' answers out.
    late_room: Room,
}

/// What is remembered of one node between scrapes.
#[derive(Default)]
struct Slot {
    /// Host and port it goes to, and the connection while no request is under way.
    connection: tokio::sync::Mutex<Option<(String, Wire)>>,
    /// A little more than its last answer took.
    usual: AtomicUsize,
    /// It refuses `/metrics/resource`, so `/stats/summary` is asked.
    ///
    /// The ClusterRole of metrics-server v0.4 allows `nodes/stats` but not `nodes/metrics`.
    summary: AtomicBool,
}

impl Slot {
    fn took(&self, size: usize) {
        // Figures grow.
        self.usual.store(size + size / 64 + 64, Ordering::Relaxed);
    }
}

/// How we say who we are.
#[derive(Debug)]
enum Credentials {
    Nothing,
    Token(String),
    /// Read again for every scrape: Kubernetes replaces the token every hour.
    TokenFile(PathBuf),
}

impl Credentials {
    fn new(config: &Config, insecure: bool) -> Self {
        let auth = &config.auth_info;
        match (&auth.token, &auth.token_file) {
            _ if insecure => Self::Nothing,
            (Some(token), _) => Self::Token(token.expose_secret().to_owned()),
            (None, Some(file)) => Self::TokenFile(file.into()),
            (None, None) => Self::Nothing,
        }
    }

    fn header(&self) -> anyhow::Result<Option<HeaderValue>> {
        let token = match self {
            Self::Nothing => return Ok(None),
            Self::Token(token) => token.clone(),
            Self::TokenFile(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the token {}", file.display()))?,
        };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .context("the token holds characters that no header can")?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl Kubelets {
    /// Reaches kubelets as `args` say, with the identity of `config`.
    pub(crate) fn new(args: &KubeletArgs, config: &Config) -> anyhow::Result<Self> {
        let insecure = args.deprecated_kubelet_completely_insecure;
        Ok(Self {
            connector: Connector::new(args, config)?,
            credentials: Credentials::new(config, insecure),
            address_types: args.kubelet_preferred_address_types.clone(),
            port: args.kubelet_port,
            use_status_port: args.kubelet_use_node_status_port,
            slots: Mutex::default(),
            room: Room::default(),
            late_room: Room::default(),
        })
    }

    /// Takes certificates as their files are now.
    pub(crate) fn refresh(&self) {
        match self.connector.refresh() {
            Ok(true) => tracing::info!("using the new certificates for kubelets"),
            Ok(false) => {}
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "cannot use the certificates for kubelets as they are now, keeping the old ones"
            ),
        }
    }

    /// Asks one node; `late` ones have memory for answers of their own.
    pub(crate) async fn ask(&self, node: &Node, late: bool) -> Result<Answer, Trouble> {
        let slot = self.slot(&node.name);
        let room = if late { &self.late_room } else { &self.room };
        if !slot.summary.load(Ordering::Relaxed) {
            let path = node.path.as_deref().unwrap_or(RESOURCE_PATH);
            match self.get(node, &slot, path, room).await {
                Ok(answer) => return Ok(Answer::of(answer, false)),
                Err(Trouble::Refused {
                    code: StatusCode::FORBIDDEN,
                    ..
                }) => {
                    tracing::info!(
                        node = &*node.name,
                        "the kubelet forbids /metrics/resource (grant get on nodes/metrics), \
                         asking /stats/summary instead"
                    );
                    slot.summary.store(true, Ordering::Relaxed);
                }
                Err(trouble) => return Err(trouble),
            }
        }
        match self.get(node, &slot, SUMMARY_PATH, room).await {
            Ok(answer) => Ok(Answer::of(answer, true)),
            Err(trouble) => {
                // Next time the better endpoint may be allowed.
                slot.summary.store(false, Ordering::Relaxed);
                Err(trouble)
            }
        }
    }

    /// Forgets nodes that are gone, and says which.
    pub(crate) fn retain(&self, known: impl Fn(&str) -> bool) -> Vec<Box<str>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots
            .extract_if(|name, _| !known(name))
            .map(|(name, _)| name)
            .collect()
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(name) {
            Some(slot) => Arc::clone(slot),
            None => Arc::clone(slots.entry(name.into()).or_default()),
        }
    }

    async fn get(
        &self,
        node: &Node,
        slot: &Slot,
        path: &str,
        room: &Room,
    ) -> Result<Taken, Trouble> {
        let wanted = &self.address_types;
        let host = node
            .address(wanted)
            .ok_or_else(|| Trouble::NoAddress(wanted.clone()))?;
        let port = if self.use_status_port && node.port != 0 {
            node.port
        } else {
            self.port
        };
        let authority = connect::authority(host, port);
        let usual = slot.usual.load(Ordering::Relaxed);
        let space = Space { room, usual };
        let mut kept = slot.connection.lock().await;
        // A kept connection may have been closed by the other side meanwhile: then a fresh one is tried.
        if let Some((_, wire)) = kept.take().filter(|(to, _)| *to == authority) {
            let request = self.request(&authority, path).map_err(Trouble::Ours)?;
            match exchange(wire, request, space).await {
                Ok((taken, wire)) => {
                    slot.took(taken.0.len());
                    *kept = wire.map(|wire| (authority, wire));
                    return Ok(taken);
                }
                Err(Trouble::Broken(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let request = self.request(&authority, path).map_err(Trouble::Ours)?;
        let wire = self.connector.connect(host, port).await?;
        let (taken, wire) = exchange(wire, request, space).await?;
        slot.took(taken.0.len());
        *kept = wire.map(|wire| (authority, wire));
        Ok(taken)
    }

    fn request(&self, authority: &str, path: &str) -> anyhow::Result<Request<Empty<Bytes>>> {
        let mut request = Request::get(path)
            .header(HOST, authority)
            .header(ACCEPT, "text/plain, application/json;q=0.9");
        if let Some(value) = self.credentials.header()? {
            request = request.header(AUTHORIZATION, value);
        }
        request
            .body(Empty::new())
            .with_context(|| format!("{path} is no request path"))
    }
}
