//! Starting a lab server: keys, store, bootstrap, and the TLS listener around it.

use crate::backend::Backend;
use crate::server::{Parts, Server};
use crate::{bootstrap, expiry};
use anyhow::Context;
use jiff::Timestamp;
use k8s::features::Gates;
use lab_auth::pki::{Authority, Certificate};
use runtime::network::LabNetwork;
use runtime::serve::{Limits, serve, tls};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// The names that the server's certificate has besides addresses. Upstream: kubeadm's certificates.
const NAMES: [&str; 6] = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "evenkeel",
];

/// What a lab server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where keys and objects are kept; in memory only if `None`.
    pub data_dir: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// The lab's addresses.
    pub network: LabNetwork,
    /// Which features are on.
    pub gates: Gates,
}

/// A running lab server.
#[derive(Debug)]
pub struct Handle {
    server: Server,
    authority: Arc<Authority>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that clients use.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The server, for clients in this process.
    pub fn server(&self) -> Server {
        self.server.clone()
    }

    /// What signs the lab's certificates and tokens.
    pub fn authority(&self) -> Arc<Authority> {
        self.authority.clone()
    }

    /// A kubeconfig of somebody who may do everything. It holds a key.
    pub fn admin_kubeconfig(&self) -> anyhow::Result<String> {
        self.kubeconfig_for("kubernetes-admin", &["system:masters"])
    }

    /// A kubeconfig for a user in groups (at most two fit). It holds a key.
    pub fn kubeconfig_for(&self, user: &str, groups: &[&str]) -> anyhow::Result<String> {
        let now = runtime::clock::now();
        let config = self
            .authority
            .kubeconfig(now, &self.url(), user, groups, "");
        config.with_context(|| format!("making a kubeconfig for {user}"))
    }

    /// Waits for the listener to end, after the shutdown was asked for, and closes the store.
    pub async fn stopped(self) {
        // A panic of the listener was already reported by the runtime.
        let _ = self.serving.await;
        self.server.inner.backend.close().await;
    }
}

/// Starts a server and listens.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Handle> {
    let now = runtime::clock::now();
    anyhow::ensure!(
        config.listen.ip().is_loopback(),
        "the lab listens on loopback addresses only, not on {}",
        config.listen
    );
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("listening on {}", config.listen))?;
    let address = listener.local_addr().context("the listener's address")?;
    let (backend, authority) = match &config.data_dir {
        None => (Backend::in_memory(), Authority::in_memory(now)?),
        Some(directory) => {
            let authority = Authority::load_or_create(now, &directory.join("pki"))?;
            (Backend::open(directory)?, authority)
        }
    };
    let authority = Arc::new(authority);
    let network = config.network;
    let parts = Parts {
        backend,
        authority: authority.clone(),
        network,
        gates: config.gates,
        address,
        shutdown: shutdown.clone(),
    };
    let server = Server::new(parts)?;
    bootstrap::run(&server.inner, now)
        .await
        .context("making the lab's first objects")?;
    crate::aggregate::start(&server.inner);
    crate::crd::start(&server.inner);
    let certificate = serving_certificate(&authority, now, address, network)?;
    let tls = tls(runtime::certs::Identity {
        chain: certificate.chain.clone(),
        key: certificate.key(),
    })?;
    let handler = {
        let server = server.clone();
        move |request| {
            let mut server = server.clone();
            async move {
                match server.call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    };
    tokio::spawn(expiry::run(server.inner.clone()));
    let serving = tokio::spawn(serve(listener, tls, Limits::default(), handler, shutdown));
    Ok(Handle {
        server,
        authority,
        address,
        serving,
    })
}

/// A server in memory without a listener, as tests want it.
pub async fn in_memory(network: LabNetwork, shutdown: CancellationToken) -> anyhow::Result<Server> {
    in_memory_with(network, Gates::default(), shutdown).await
}

/// A server without a wire and without a disk, with features that are off or on.
pub async fn in_memory_with(
    network: LabNetwork,
    gates: Gates,
    shutdown: CancellationToken,
) -> anyhow::Result<Server> {
    let now = runtime::clock::now();
    let authority = Arc::new(Authority::in_memory(now)?);
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6443);
    let backend = Backend::in_memory();
    let server = Server::new(Parts {
        backend,
        authority,
        network,
        gates,
        address,
        shutdown,
    })?;
    bootstrap::run(&server.inner, now)
        .await
        .context("making the lab's first objects")?;
    crate::aggregate::start(&server.inner);
    crate::crd::start(&server.inner);
    Ok(server)
}

fn serving_certificate(
    authority: &Authority,
    now: Timestamp,
    address: SocketAddr,
    network: LabNetwork,
) -> anyhow::Result<Certificate> {
    let mut addresses = vec![address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST)];
    addresses.extend(network.service(0).map(IpAddr::V4));
    let certificate = authority.serving_certificate(now, "kube-apiserver", &NAMES, &addresses);
    certificate.context("the server's certificate")
}
