//! Nodes whose pods are no processes: thousands of them on one machine, for programs that must bear many.
//!
//! To the API they are nodes like any other, with leases, addresses and kubelets that answer over TLS.
//! A pod that comes to one is Running and Ready at once, and gone as soon as it is deleted. What its
//! containers use is invented, by a rule that anyone can check: see [`usage`].

mod container;
mod kubelet;
mod node;
mod pods;
pub mod usage;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use pods::Registry;
use runtime::auth::{Authorities, Delegated, Options};
use runtime::certs::parse_chain;
use runtime::network::LabNetwork;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Requests to the API under way at once.
const CONCURRENT: usize = 32;
/// How long a kubelet believes that somebody is allowed to ask. Upstream: the kubelet's webhook cache.
const ALLOWED: Duration = Duration::from_secs(300);

/// What pods must tolerate, with effect NoSchedule.
pub const TAINT: &str = "evenkeel.dev/simulated";

/// On a pod: what each of its containers uses from now on, as a quantity of CPU.
pub const CPU: &str = "evenkeel.dev/simulated-cpu";

/// A node's certificate and key, both PEM, for its name and address.
pub type Certify = Arc<dyn Fn(&str, Ipv4Addr) -> Result<(String, String)> + Send + Sync>;

/// Everything that [`run`] needs.
#[derive(Clone)]
pub struct Config {
    /// The API, as somebody who may do everything.
    pub client: Client,
    /// The lab's addresses.
    pub network: LabNetwork,
    /// How many nodes: `simulated-1` and so on.
    pub nodes: u16,
    /// Pods that each begins with.
    pub pods_per_node: u16,
    /// As many in a row are of one app, and twenty apps in a row of one namespace, `simulated-1` and so on; at least 1.
    pub pods_per_app: u16,
    /// Containers in each of these.
    pub containers_per_pod: u16,
    /// Whether pods must tolerate the taint [`TAINT`]: where other nodes really run pods, most want these.
    pub tainted: bool,
    /// Makes the kubelets' certificates.
    pub certify: Certify,
    /// Authorities whose client certificates the kubelets take.
    pub client_ca_pem: String,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("simulated::Config")
            .field("nodes", &self.nodes)
            .field("pods_per_node", &self.pods_per_node)
            .field("pods_per_app", &self.pods_per_app)
            .field("containers_per_pod", &self.containers_per_pod)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// A node's name, by its index from 0.
    pub fn name(index: u16) -> String {
        format!("simulated-{}", u32::from(index) + 1)
    }
}

/// Registers the nodes and their pods, and keeps them until `shutdown`.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<()> {
    let config = Arc::new(config);
    let registry = Arc::new(Registry::default());
    let auth = Arc::new(auth(&config)?);
    for index in 0..config.nodes {
        kubelet::start(&config, index, (&registry, &auth), &shutdown).await?;
    }
    let watching = pods::keep(
        config.client.clone(),
        Arc::clone(&registry),
        shutdown.clone(),
    );
    let nodes = async {
        let nodes: Vec<_> = stream::iter(0..config.nodes)
            .map(|index| node::register(&config, index))
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        pods::create(&config).await?;
        tracing::info!(
            nodes = config.nodes,
            pods_per_node = config.pods_per_node,
            "all simulated nodes and their pods are there"
        );
        node::keep_alive(&config.client, &nodes, &shutdown).await;
        Ok::<_, anyhow::Error>(())
    };
    tokio::select! {
        () = watching => Ok(()),
        done = nodes => done,
        () = shutdown.cancelled() => Ok(()),
    }
}

/// One for all: they ask the API about the same callers.
fn auth(config: &Config) -> Result<Delegated> {
    let roots = parse_chain(config.client_ca_pem.as_bytes()).context("the kubelets' client CA")?;
    let options = Options {
        anonymous: false,
        authorities: Authorities::default().with_client_ca(&roots)?,
        lookup: false,
        always_allow: Vec::new(),
        allowed_ttl: ALLOWED,
        ..Options::default()
    };
    Ok(Delegated::new(config.client.clone(), options))
}
