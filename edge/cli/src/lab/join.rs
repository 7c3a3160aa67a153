//! Joining the lab's nodes to a control plane that is none of the lab's: `evenkeel lab --control-plane`.
//!
//! Its own controllers and scheduler run the pods. The lab adds what such a control plane has not for nodes with
//! loopback addresses: EndpointSlices that may hold these, and LoadBalancers. Not here: the HPA controller and
//! metrics-server, which are clients of any cluster.

mod certificates;

use super::compose::{LabConfig, component};
use super::network::{self, Claim};
use super::nodes::{self, Cluster};
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{Api, Client, Config};
use lab_auth::User;
use runtime::network::LabNetwork;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the nodes may take to end their pods and themselves.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// How long the API may take to say what the lab must know of it.
const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// Nodes that joined.
#[derive(Debug)]
pub(crate) struct Joined {
    access: Access,
    parts: Vec<JoinHandle<()>>,
    /// Keeps other labs of this machine out of this one's addresses.
    _claim: Claim,
}

/// The way in, as an administrator who may speak for everybody.
#[derive(Debug, Clone)]
struct Access(Config);

impl Access {
    fn admin(&self) -> Result<Client> {
        Client::try_from(self.0.clone()).context("cannot set up the client of the control plane")
    }

    /// A component by its own name: what it may do is what its counterpart in any cluster may, and no more.
    fn as_user(&self, user: User) -> Result<Client> {
        let mut config = self.0.clone();
        config.auth_info.impersonate = Some(user.name);
        config.auth_info.impersonate_groups = Some(user.groups);
        Client::try_from(config).context("cannot set up a client of the control plane")
    }
}

impl Joined {
    /// Starts the nodes.
    pub(crate) async fn start(
        kubeconfig: &Path,
        config: LabConfig,
        shutdown: CancellationToken,
    ) -> Result<Self> {
        let access = Access(runtime::client::config(Some(kubeconfig)).await?);
        let looked = timeout(LOOK_LIMIT, look(&access)).await;
        let (cluster, claim) = looked.with_context(|| {
            let limit = LOOK_LIMIT.as_secs();
            format!("{} did not answer within {limit} s", access.0.cluster_url)
        })??;
        let mut joined = Self {
            access,
            parts: Vec::new(),
            _claim: claim,
        };
        joined.start_controllers(&cluster, &shutdown)?;
        joined.start_nodes(&cluster, &config, &shutdown).await?;
        Ok(joined)
    }

    /// Where the API answers.
    pub(crate) fn server(&self) -> String {
        self.access.0.cluster_url.to_string()
    }

    /// A client that may do everything.
    pub(crate) fn admin_client(&self) -> Result<Client> {
        self.access.admin()
    }

    /// Waits until every part has ended, for a bounded time.
    pub(crate) async fn stopped(self) {
        if timeout(STOP_LIMIT, join_all(self.parts)).await.is_err() {
            tracing::warn!("some parts did not end within {} s", STOP_LIMIT.as_secs());
        }
    }

    fn spawn(&mut self, part: impl Future<Output = ()> + Send + 'static) {
        self.parts.push(tokio::spawn(part));
    }

    fn start_controllers(&mut self, cluster: &Cluster, stop: &CancellationToken) -> Result<()> {
        // One that fails here would fail for all: they differ in name only.
        self.access
            .as_user(component("system:kube-controller-manager"))?;
        let (access, network, stop) = (self.access.clone(), cluster.network, stop.clone());
        let fallback = self.access.admin()?;
        let clients = move |name: &str| {
            let own = access.as_user(component(name));
            own.unwrap_or_else(|_| fallback.clone())
        };
        self.spawn(async move { lab_controllers::run_joined(clients, network, stop).await });
        Ok(())
    }

    async fn start_nodes(
        &mut self,
        cluster: &Cluster,
        config: &LabConfig,
        stop: &CancellationToken,
    ) -> Result<()> {
        let wanted = certificates::wanted(cluster.network, config.nodes, config.simulated.nodes);
        let certificates = certificates::get(&self.access, wanted).await?;
        for number in 1..=config.nodes {
            let clients = |user| self.access.as_user(user);
            let certificate = certificates::of(&certificates, &nodes::node_name(number))?;
            let node = cluster.node(number, config, clients, certificate)?;
            self.spawn(nodes::run(node, stop.clone()));
        }
        if config.simulated.nodes > 0 {
            let certify = move |name: &str, _| certificates::of(&certificates, name);
            let admin = self.access.admin()?;
            let simulated = cluster.simulated(config, admin, Arc::new(certify));
            self.spawn(nodes::run_simulated(simulated, stop.clone()));
        }
        Ok(())
    }
}

/// What the control plane says of itself.
async fn look(access: &Access) -> Result<(Cluster, Claim)> {
    let admin = access.admin()?;
    let claim = claim(&admin).await?;
    let cluster = Cluster {
        network: claim.network(),
        api_server: address(&access.0).await?,
        ca_pem: ca_pem(&access.0)?,
        client_ca_pem: client_ca_pem(&admin).await?,
    };
    Ok((cluster, claim))
}

/// The block in which the control plane has its Services' addresses, so that the lab can serve these.
async fn claim(admin: &Client) -> Result<Claim> {
    let services: Api<Service> = Api::namespaced(admin.clone(), "default");
    let service = services.get("kubernetes").await;
    let service = service.context("cannot read the Service kubernetes of the control plane")?;
    let address = service.spec.and_then(|spec| spec.cluster_ip);
    let address = address.unwrap_or_default();
    match address.parse().ok().and_then(LabNetwork::of_api_service) {
        Some(network) => network::claim_block(network).context(
            "another lab has joined this control plane, or has its addresses: stop it first",
        ),
        None => {
            tracing::error!(
                "Services' addresses (as {address}) do not work in pods: start kube-apiserver with \
                 --service-cluster-ip-range=127.B.64.0/18, B from 32 to 126, to have them in the lab's range"
            );
            network::claim(None)
        }
    }
}

async fn address(config: &Config) -> Result<SocketAddr> {
    let url = &config.cluster_url;
    let host = url.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut found = tokio::net::lookup_host((host, url.port_u16().unwrap_or(443)))
        .await
        .with_context(|| format!("cannot find the address of {url}"))?;
    found
        .next()
        .with_context(|| format!("{url} has no address"))
}

fn ca_pem(config: &Config) -> Result<String> {
    let Some(chain) = &config.root_cert else {
        bail!(
            "the kubeconfig names no certificate authority, which pods need: add certificate-authority-data"
        );
    };
    Ok(chain.iter().map(|der| pem(der)).collect())
}

/// As RFC 7468 has it, in lines of 64.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines: String = lines
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

/// Where kube-apiserver tells extension servers whose client certificates it takes; kubelets take the same.
async fn client_ca_pem(admin: &Client) -> Result<String> {
    let name = "extension-apiserver-authentication";
    let maps: Api<ConfigMap> = Api::namespaced(admin.clone(), "kube-system");
    let map = maps.get(name).await.with_context(|| {
        format!(
            "cannot read the ConfigMap kube-system/{name}: an administrator's kubeconfig is needed"
        )
    })?;
    let found = map.data.and_then(|mut data| data.remove("client-ca-file"));
    found.with_context(|| {
        format!("the ConfigMap kube-system/{name} has no client-ca-file: kube-apiserver needs --client-ca-file")
    })
}

#[cfg(test)]
mod tests;
