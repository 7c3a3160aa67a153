//! Brings listeners in line with a plan: those that stay are not touched.

use super::listener::{Listener, Shared};
use super::plan::Plan;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// Connections through all Services of a lab at a time; each takes two file descriptors.
const CONNECTIONS: usize = 4_096;

/// All that is served, and what could not be.
#[derive(Debug)]
pub(super) struct Table {
    plan: Plan,
    listeners: BTreeMap<SocketAddr, Listener>,
    failures: BTreeMap<SocketAddr, io::ErrorKind>,
    shared: Shared,
}

impl Table {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self {
            plan: Plan::new(),
            listeners: BTreeMap::new(),
            failures: BTreeMap::new(),
            shared: Shared::new(CONNECTIONS, shutdown),
        }
    }

    /// Opens, changes and closes listeners as `plan` says.
    pub(super) async fn apply(&mut self, plan: Plan) {
        self.plan = plan;
        self.failures
            .retain(|address, _| self.plan.contains_key(address));
        let (kept, gone) = std::mem::take(&mut self.listeners)
            .into_iter()
            .partition(|(address, _)| self.plan.contains_key(address));
        self.listeners = kept;
        close_all(gone).await;
        for (address, target) in &self.plan {
            if let Some(listener) = self.listeners.get(address) {
                listener.set(target.clone());
            }
        }
        self.retry().await;
    }

    /// Tries for the addresses that are not served yet.
    pub(super) async fn retry(&mut self) {
        for (address, target) in &self.plan {
            if self.listeners.contains_key(address) {
                continue;
            }
            match Listener::bind(*address, target.clone(), &self.shared).await {
                Ok(listener) => {
                    self.failures.remove(address);
                    self.listeners.insert(*address, listener);
                }
                Err(error) => {
                    // Said once, not at every attempt.
                    if self.failures.insert(*address, error.kind()) != Some(error.kind()) {
                        tracing::warn!("{}", cannot_serve(*address, &target.service, &error));
                    }
                }
            }
        }
    }

    /// Whether [`Self::retry`] has anything to do.
    pub(super) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Stops listening. Connections end with the shutdown; this waits for them.
    pub(super) async fn close(self) {
        close_all(self.listeners).await;
        self.shared.connections.close();
        if self.shared.shutdown.is_cancelled() {
            self.shared.connections.wait().await;
        }
    }
}

async fn close_all(listeners: BTreeMap<SocketAddr, Listener>) {
    for listener in listeners.into_values() {
        listener.close().await;
    }
}

fn cannot_serve(address: SocketAddr, service: &str, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => "ports below 1024 need root, the capability \
             CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start=0"
            .to_owned(),
        io::ErrorKind::AddrInUse => "another program of this machine has the port".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot serve Service {service} at {address}: {why}")
}
