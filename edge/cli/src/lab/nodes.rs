//! A lab's nodes, whichever API they belong to: what each is told, and running it.

use super::compose::{LabConfig, component};
use anyhow::{Context, Result};
use kube::Client;
use lab_auth::User;
use lab_node::simulated::{self, Certify};
use runtime::network::LabNetwork;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// The cluster that nodes are of.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) network: LabNetwork,
    /// Where programs in pods reach the API.
    pub(super) api_server: SocketAddr,
    /// The authority that vouches for the API's certificate.
    pub(super) ca_pem: String,
    /// The authorities whose client certificates kubelets take.
    pub(super) client_ca_pem: String,
}

/// A node's certificate and its key, PEM.
pub(super) type Certificate = (String, String);

impl Cluster {
    /// What node `number` is told. `clients` makes the client of a user.
    pub(super) fn node(
        &self,
        number: u8,
        config: &LabConfig,
        clients: impl Fn(User) -> Result<Client>,
        certificate: Certificate,
    ) -> Result<lab_node::Config> {
        let name = node_name(number);
        let user = User::new(
            format!("system:node:{name}"),
            &["system:nodes", "system:authenticated"],
        );
        let (serving_cert_pem, serving_key_pem) = certificate;
        Ok(lab_node::Config {
            client: clients(user)?,
            proxy_client: clients(component("system:kube-proxy"))?,
            name,
            number,
            network: self.network,
            api_server: self.api_server,
            ca_pem: self.ca_pem.clone(),
            serving_cert_pem,
            serving_key_pem,
            client_ca_pem: self.client_ca_pem.clone(),
            kubelet_port: lab_node::KUBELET_PORT,
            data_dir: config.folder.join("nodes").join(number.to_string()),
            images: config.images.clone(),
            executable: std::env::current_exe().context("cannot find the path of this program")?,
            extra_env: config.pod_env.iter().cloned().collect(),
        })
    }

    /// What the simulated nodes are told.
    pub(super) fn simulated(
        &self,
        config: &LabConfig,
        client: Client,
        certify: Certify,
    ) -> simulated::Config {
        simulated::Config {
            client,
            network: self.network,
            nodes: config.simulated.nodes,
            pods_per_node: config.simulated.pods_per_node,
            pods_per_app: config.simulated.pods_per_app,
            containers_per_pod: config.simulated.containers_per_pod,
            tainted: config.nodes > 0,
            certify,
            client_ca_pem: self.client_ca_pem.clone(),
        }
    }
}

pub(super) fn node_name(number: u8) -> String {
    format!("node-{number}")
}

/// Runs a node until the end of the lab.
pub(super) async fn run(node: lab_node::Config, stop: CancellationToken) {
    let number = node.number;
    if let Err(error) = lab_node::run(node, stop).await {
        tracing::error!(error = format!("{error:#}"), number, "a node stopped");
    }
}

/// Runs the simulated nodes until the end of the lab.
pub(super) async fn run_simulated(nodes: simulated::Config, stop: CancellationToken) {
    if let Err(error) = simulated::run(nodes, stop).await {
        tracing::error!(error = format!("{error:#}"), "the simulated nodes stopped");
    }
}
