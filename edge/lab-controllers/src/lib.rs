//! The lab's controllers: what kube-controller-manager and kube-scheduler do, as far as a lab needs it.
//!
//! They use only the Kubernetes API, each with the identity (and so the RBAC) of its upstream
//! counterpart, so that they also run against a real kube-apiserver. Decisions are functions of
//! objects (`plan.rs` and its kin); [`engine`] moves objects and keys.
//!
//! [`run`] is all of them; [`run_joined`] what a control plane lacks for the lab's nodes that joined it.
//! Not here: ResourceQuota, PodDisruptionBudget, ReplicationController, volumes, token cleaning.

mod cluster_role;
mod cron_job;
mod daemon_set;
mod deployment;
mod discovery;
mod endpoints;
mod engine;
#[cfg(test)]
mod fixtures;
mod garbage;
mod hub;
mod job;
mod load_balancer;
mod meta;
mod namespace;
mod node_lifecycle;
mod pod_gc;
mod pods;
mod replica_set;
mod revisions;
mod root_ca;
mod scheduler;
mod service_account;
mod stateful_set;

use endpoints::Records;
use hub::Setup;
use kube::Client;
use runtime::network::LabNetwork;
use tokio_util::sync::CancellationToken;

/// What the controllers must be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where LoadBalancer addresses come from.
    pub network: LabNetwork,
    /// The certificate authority that `kube-root-ca.crt` publishes, in PEM.
    pub root_ca: String,
}

/// Runs every controller until `shutdown`.
///
/// `clients` makes the client of a user, such as
/// `system:serviceaccount:kube-system:deployment-controller`, `system:kube-scheduler` or
/// `system:kube-controller-manager` (whose right to watch everything feeds the shared caches).
pub async fn run(
    clients: impl Fn(&str) -> Client + Send + Sync,
    config: Config,
    shutdown: CancellationToken,
) {
    let mut setup = Setup::new(&clients, &shutdown);
    replica_set::start(&mut setup);
    deployment::start(&mut setup);
    scheduler::start(&mut setup);
    endpoints::start(&mut setup, Records::Addresses);
    service_account::start(&mut setup);
    root_ca::start(&mut setup, config.root_ca);
    namespace::start(&mut setup);
    job::start(&mut setup);
    cron_job::start(&mut setup);
    stateful_set::start(&mut setup);
    daemon_set::start(&mut setup);
    load_balancer::start(&mut setup, config.network);
    node_lifecycle::start(&mut setup);
    pod_gc::start(&mut setup);
    cluster_role::start(&mut setup);
    garbage::start(&mut setup);
    setup.run().await;
}

/// Runs what a control plane of another kind lacks for nodes with loopback addresses, until `shutdown`:
/// EndpointSlices that may hold such addresses, and LoadBalancers.
pub async fn run_joined(
    clients: impl Fn(&str) -> Client + Send + Sync,
    network: LabNetwork,
    shutdown: CancellationToken,
) {
    let mut setup = Setup::new(&clients, &shutdown);
    endpoints::start(&mut setup, Records::Names);
    load_balancer::start(&mut setup, network);
    setup.run_few().await;
}
