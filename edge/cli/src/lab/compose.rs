//! Putting a lab together: what is started, in which order, with which identity.
//!
//! Everything in here reaches the API as a client with a user of its own, so RBAC holds for all.

use super::network;
use super::nodes::{self, Cluster};
use anyhow::{Context, Result};
use futures::future::join_all;
use hpa_controller::Config as HpaConfig;
use kube::Client;
use lab_auth::User;
use lab_node::ImageTable;
use lab_server::Handle;
use runtime::clock::now;
use runtime::network::LabNetwork;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the parts may take to end their pods and themselves.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// What a lab is made of.
#[derive(Debug)]
pub(crate) struct LabConfig {
    /// Where pods' files and logs are, and the store if there is one.
    pub(crate) folder: PathBuf,
    /// Whether objects are kept on disk.
    pub(crate) store: bool,
    /// The API's port on 127.0.0.1; 0 takes a free one.
    pub(crate) secure_port: u16,
    pub(crate) nodes: u8,
    pub(crate) simulated: Simulated,
    pub(crate) images: ImageTable,
    pub(crate) hpa: HpaConfig,
    /// What every container gets in its environment besides its own.
    pub(crate) pod_env: Vec<(String, String)>,
}

impl LabConfig {
    /// One node, in memory, a free port, upstream's periods.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            store: false,
            secure_port: 0,
            nodes: 1,
            simulated: Simulated::default(),
            images: ImageTable::default(),
            hpa: HpaConfig::default(),
            pod_env: Vec::new(),
        }
    }
}

/// Nodes whose pods are no processes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Simulated {
    pub(crate) nodes: u16,
    pub(crate) pods_per_node: u16,
    pub(crate) pods_per_app: u16,
    pub(crate) containers_per_pod: u16,
}

/// A lab that runs.
#[derive(Debug)]
pub(crate) struct Lab {
    handle: Handle,
    parts: Vec<JoinHandle<()>>,
    /// Keeps other labs of this machine out of this one's addresses.
    _claim: network::Claim,
}

impl Lab {
    /// Starts every part; the API answers when this returns.
    pub(crate) async fn start(config: LabConfig, shutdown: CancellationToken) -> Result<Self> {
        let claim = network::claim(config.store.then_some(config.folder.as_path()))?;
        let server = lab_server::Config {
            data_dir: config.store.then(|| config.folder.clone()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, config.secure_port)),
            network: claim.network(),
            gates: config.hpa.flags.gates(),
        };
        let handle = lab_server::start(server, shutdown.clone()).await?;
        let mut lab = Self {
            handle,
            parts: Vec::new(),
            _claim: claim,
        };
        let network = lab._claim.network();
        lab.start_controllers(network, config.hpa.clone(), &shutdown);
        for number in 1..=config.nodes {
            lab.start_node(number, network, &config, &shutdown)?;
        }
        if config.simulated.nodes > 0 {
            lab.start_simulated(&config, network, &shutdown);
        }
        Ok(lab)
    }

    /// Where the API answers over TLS.
    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// A client that may do everything.
    pub(crate) fn admin_client(&self) -> Client {
        self.client(User::new(
            "kubernetes-admin",
            &["system:masters", "system:authenticated"],
        ))
    }

    /// The kubeconfig of the same.
    pub(crate) fn admin_kubeconfig(&self) -> Result<Vec<u8>> {
        Ok(self
            .handle
            .admin_kubeconfig()
            .context("cannot make the kubeconfig")?
            .into_bytes())
    }

    /// Waits until every part has ended and the store is closed, for a bounded time.
    pub(crate) async fn stopped(self) {
        if timeout(STOP_LIMIT, join_all(self.parts)).await.is_err() {
            tracing::warn!("some parts did not end within {} s", STOP_LIMIT.as_secs());
        }
        // Last, for the parts write until they end.
        if timeout(STOP_LIMIT, self.handle.stopped()).await.is_err() {
            tracing::warn!("the API did not end within {} s", STOP_LIMIT.as_secs());
        }
    }

    fn client(&self, user: User) -> Client {
        Client::new(self.handle.server().as_user(user), "default")
    }

    fn spawn(&mut self, part: impl Future<Output = ()> + Send + 'static) {
        self.parts.push(tokio::spawn(part));
    }

    fn start_controllers(
        &mut self,
        network: LabNetwork,
        hpa: HpaConfig,
        shutdown: &CancellationToken,
    ) {
        let server = self.handle.server();
        let clients = move |name: &str| Client::new(server.as_user(component(name)), "default");
        let hpa_client = clients("system:serviceaccount:kube-system:horizontal-pod-autoscaler");
        let root_ca = self.handle.authority().ca_pem().to_owned();
        let config = lab_controllers::Config { network, root_ca };
        let stop = shutdown.clone();
        self.spawn(async move { lab_controllers::run(clients, config, stop).await });
        let stop = shutdown.clone();
        self.spawn(async move { hpa_controller::run(hpa_client, hpa, stop).await });
    }

    fn cluster(&self, network: LabNetwork) -> Cluster {
        let ca_pem = self.handle.authority().ca_pem().to_owned();
        Cluster {
            network,
            api_server: self.handle.address(),
            client_ca_pem: ca_pem.clone(),
            ca_pem,
        }
    }

    fn start_node(
        &mut self,
        number: u8,
        network: LabNetwork,
        config: &LabConfig,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let name = nodes::node_name(number);
        let made = self.handle.authority().serving_certificate(
            now(),
            &format!("system:node:{name}"),
            &[&name],
            &[network.node(number).into()],
        )?;
        let certificate = (made.certificate_pem, made.key_pem);
        let clients = |user| Ok(self.client(user));
        let node = self
            .cluster(network)
            .node(number, config, clients, certificate)?;
        self.spawn(nodes::run(node, shutdown.clone()));
        Ok(())
    }

    fn start_simulated(
        &mut self,
        config: &LabConfig,
        network: LabNetwork,
        shutdown: &CancellationToken,
    ) {
        let authority = self.handle.authority();
        let certify = move |name: &str, address: Ipv4Addr| {
            let user = format!("system:node:{name}");
            let made = authority.serving_certificate(now(), &user, &[name], &[address.into()])?;
            Ok((made.certificate_pem, made.key_pem))
        };
        let cluster = self.cluster(network);
        let simulated = cluster.simulated(config, self.admin_client(), Arc::new(certify));
        self.spawn(nodes::run_simulated(simulated, shutdown.clone()));
    }
}

/// A component's user: service accounts are in the groups that all of them are in.
pub(super) fn component(name: &str) -> User {
    match name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((namespace, account)) => User::service_account(namespace, account, ""),
        None => User::new(name, &["system:authenticated"]),
    }
}
