//! What every part of a node shares.

use crate::cgroup::Cgroups;
use crate::cluster::ClusterView;
use crate::config::Config;
use crate::events::Recorder;
use crate::instance::Instance;
use crate::pod_init::spec::Isolation;
use crate::process::Launcher;
use k8s_openapi::api::core::v1::Pod;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long the API's cluster address may take to answer before pods are given the other one.
const PROXY_TIMEOUT: Duration = Duration::from_millis(300);

/// What this machine lets pods have of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sandbox {
    /// How much of a file system.
    pub isolation: Isolation,
    /// Whether by way of a user namespace.
    pub user_namespace: bool,
}

/// The node's shared parts.
#[derive(Debug)]
pub struct Host {
    /// What it was told.
    pub config: Config,
    /// Starts programs.
    pub launcher: Launcher,
    /// What pods may have of their own.
    pub sandbox: Sandbox,
    /// Control groups.
    pub cgroups: Cgroups,
    /// Services.
    pub cluster: watch::Receiver<Option<ClusterView>>,
    /// Events.
    pub events: Recorder,
    /// Pod addresses in use.
    pub addresses: Addresses,
    /// The pods of this node.
    pub pods: Registry,
}

impl Host {
    /// The node's address.
    pub fn address(&self) -> Ipv4Addr {
        self.config.network.node(self.config.number)
    }

    /// A pod's directory.
    pub fn pod_directory(&self, uid: &str) -> PathBuf {
        self.config.data_dir.join("pods").join(uid)
    }

    /// Where pods reach the API: its cluster address where somebody forwards it, else its own.
    pub async fn api_address(&self) -> SocketAddr {
        let Some(cluster) = self.config.network.service(0) else {
            return self.config.api_server;
        };
        let cluster = SocketAddr::new(cluster.into(), 443);
        let attempt = tokio::net::TcpStream::connect(cluster);
        match tokio::time::timeout(PROXY_TIMEOUT, attempt).await {
            Ok(Ok(_)) => cluster,
            _ => self.config.api_server,
        }
    }
}

/// Pod addresses: unique among live pods, the least lately used next.
#[derive(Debug)]
pub struct Addresses {
    net: [u8; 3],
    state: Mutex<(BTreeSet<u8>, u8)>,
}

impl Addresses {
    /// The addresses of node `number` of a lab in `block`; `.0`, `.1` and `.255` are not for pods.
    pub fn new(block: u8, number: u8) -> Self {
        let third = 127_u8.saturating_add(number);
        Self {
            net: [127, block, third],
            state: Mutex::new((BTreeSet::new(), 1)),
        }
    }

    /// A free address: `wanted` if it is one.
    pub fn take(&self, wanted: Option<IpAddr>) -> Option<Ipv4Addr> {
        let mut state = lock(&self.state);
        let (used, last) = &mut *state;
        let [a, b, c] = self.net;
        if let Some(IpAddr::V4(address)) = wanted {
            let [x, y, z, host] = address.octets();
            if [x, y, z] == self.net && (2..255).contains(&host) && used.insert(host) {
                return Some(address);
            }
        }
        let after = last.saturating_add(1)..255;
        let host = after
            .chain(2..=*last)
            .find(|h| *h >= 2 && *h < 255 && !used.contains(h))?;
        used.insert(host);
        *last = host;
        Some(Ipv4Addr::new(a, b, c, host))
    }

    /// Gives an address back.
    pub fn free(&self, address: Ipv4Addr) {
        lock(&self.state).0.remove(&address.octets()[3]);
    }
}

/// A container as the kubelet's server sees it.
#[derive(Debug, Clone, Default)]
pub struct ContainerEntry {
    /// The instance that runs, or ran last.
    pub current: Option<Arc<Instance>>,
    /// The log of the latest instance.
    pub log: Option<PathBuf>,
    /// The log of the one before.
    pub previous_log: Option<PathBuf>,
}

/// A pod as the kubelet's server sees it.
#[derive(Debug)]
pub struct PodEntry {
    /// The pod, with the status that was written last.
    pub pod: Mutex<Arc<Pod>>,
    /// Its containers, by name.
    pub containers: Mutex<BTreeMap<String, ContainerEntry>>,
}

/// The pods of this node by namespace and name.
#[derive(Debug, Default)]
pub struct Registry {
    pods: Mutex<BTreeMap<(String, String), Arc<PodEntry>>>,
}

impl Registry {
    /// All pods, sorted.
    pub fn all(&self) -> Vec<Arc<PodEntry>> {
        lock(&self.pods).values().cloned().collect()
    }

    /// One pod.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<PodEntry>> {
        lock(&self.pods)
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// Adds a pod.
    pub fn add(&self, pod: Arc<Pod>) -> Arc<PodEntry> {
        let key = key(&pod);
        let entry = Arc::new(PodEntry {
            pod: Mutex::new(pod),
            containers: Mutex::default(),
        });
        lock(&self.pods).insert(key, Arc::clone(&entry));
        entry
    }

    /// Removes a pod, unless another of its name has come.
    pub fn remove(&self, entry: &Arc<PodEntry>) {
        let key = key(&entry.pod());
        let mut pods = lock(&self.pods);
        if pods.get(&key).is_some_and(|e| Arc::ptr_eq(e, entry)) {
            pods.remove(&key);
        }
    }
}

impl PodEntry {
    /// The pod.
    pub fn pod(&self) -> Arc<Pod> {
        Arc::clone(&lock(&self.pod))
    }

    /// One container.
    pub fn container(&self, name: &str) -> Option<ContainerEntry> {
        lock(&self.containers).get(name).cloned()
    }

    /// Changes one container.
    pub fn update(&self, name: &str, change: impl FnOnce(&mut ContainerEntry)) {
        change(lock(&self.containers).entry(name.to_owned()).or_default());
    }
}

fn key(pod: &Pod) -> (String, String) {
    let meta = &pod.metadata;
    (
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

/// Nothing panics while it holds one of these locks; if it did, the data is still whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
