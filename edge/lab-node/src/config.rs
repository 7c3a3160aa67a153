//! What a node is told.

use crate::images::ImageTable;
use runtime::network::LabNetwork;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The kubelet's usual port.
pub const KUBELET_PORT: u16 = 10_250;

/// Everything that [`crate::run`] needs.
#[derive(Clone)]
pub struct Config {
    /// The node's name: `node-1`.
    pub name: String,
    /// Its number, from 1; number 1 also forwards the Services' addresses.
    pub number: u8,
    /// The lab's addresses.
    pub network: LabNetwork,
    /// The API, as `system:node:NAME` in group `system:nodes`.
    pub client: kube::Client,
    /// The API, as `system:kube-proxy`: a kubelet may not read EndpointSlices.
    pub proxy_client: kube::Client,
    /// Where programs in pods reach the API over TLS, when its cluster address does not answer.
    pub api_server: SocketAddr,
    /// The authority that vouches for the API's certificate.
    pub ca_pem: String,
    /// The kubelet's certificate for the node's address, with its chain.
    pub serving_cert_pem: String,
    /// Its key.
    pub serving_key_pem: String,
    /// Authorities whose client certificates the kubelet takes.
    pub client_ca_pem: String,
    /// The kubelet's port.
    pub kubelet_port: u16,
    /// Where pods have their directories, logs and volumes. Only this node's.
    pub data_dir: PathBuf,
    /// What images run.
    pub images: ImageTable,
    /// The `evenkeel` binary: it has `pod-init`, and is `evenkeel` in pods.
    pub executable: PathBuf,
    /// Variables that every container gets.
    pub extra_env: BTreeMap<String, String>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("name", &self.name)
            .field("number", &self.number)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}
