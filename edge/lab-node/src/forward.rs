//! The Services' addresses: a listener for each, which passes connections on to ready endpoints.
//!
//! What kube-proxy does with packet filters is done with sockets here, because every address of the
//! lab is on the loopback interface. One node does it for the whole lab.

use crate::cluster::{self, ClusterView, ServiceView};
use crate::host::{Host, lock};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

#[cfg(test)]
mod tests;

/// Connections through one address at a time.
const CONNECTIONS: usize = 4_096;
/// How long an endpoint may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Endpoints that are tried before a connection is given up.
const ATTEMPTS: usize = 3;
/// An address that could not be had is tried again this often: another program may have left.
const RETRY: Duration = Duration::from_secs(5);

/// Where one listener passes connections on to.
#[derive(Debug, Default)]
struct Backends {
    endpoints: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
}

impl Backends {
    /// The next endpoint, in turn.
    fn next(&self) -> Option<SocketAddr> {
        let endpoints = lock(&self.endpoints);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        endpoints.get(turn.checked_rem(endpoints.len())?).copied()
    }
}

/// One address that is served; dropping it stops the listener, not the connections.
#[derive(Debug)]
struct Served {
    backends: Arc<Backends>,
    _stop: DropGuard,
}

/// All that is served, and what could not be.
#[derive(Debug, Default)]
struct Table {
    served: BTreeMap<SocketAddr, Served>,
    refused: BTreeMap<SocketAddr, String>,
}

/// Serves all Services until `shutdown`.
pub(crate) async fn run(host: Arc<Host>, shutdown: CancellationToken) {
    let mut views = std::pin::pin!(cluster::changes(host.cluster.clone()));
    let api = host
        .config
        .network
        .service(0)
        .map(|ip| SocketAddr::new(ip.into(), 443));
    let mut table = Table::default();
    let mut view = ClusterView::default();
    loop {
        let mut wanted = wanted(&view, host.address());
        // The API's own address works before anything has been watched.
        wanted.extend(api.map(|api| (api, vec![host.config.api_server])));
        table.serve(wanted, &shutdown).await;
        tokio::select! {
            Some(next) = views.next() => view = next,
            () = tokio::time::sleep(RETRY), if !table.refused.is_empty() => {}
            () = shutdown.cancelled() => return,
        }
    }
}

impl Table {
    async fn serve(
        &mut self,
        wanted: BTreeMap<SocketAddr, Vec<SocketAddr>>,
        shutdown: &CancellationToken,
    ) {
        self.served
            .retain(|address, _| wanted.contains_key(address));
        self.refused
            .retain(|address, _| wanted.contains_key(address));
        for (address, endpoints) in wanted {
            if let Some(served) = self.served.get(&address) {
                *lock(&served.backends.endpoints) = endpoints;
                continue;
            }
            match serve(address, endpoints, shutdown).await {
                Ok(listener) => {
                    self.refused.remove(&address);
                    self.served.insert(address, listener);
                }
                Err(error) => {
                    let said = cannot_serve(address, &error);
                    if self.refused.insert(address, said.clone()).as_ref() != Some(&said) {
                        tracing::warn!("{said}");
                    }
                }
            }
        }
    }
}

fn cannot_serve(address: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => format!(
            "cannot serve a Service at {address}: ports below 1024 need root, or \
             sysctl net.ipv4.ip_unprivileged_port_start=0"
        ),
        std::io::ErrorKind::AddrInUse => format!(
            "cannot serve a Service at {address}: another program of this machine has the port"
        ),
        _ => format!("cannot serve a Service at {address}: {error}"),
    }
}

/// Every address to serve, with its endpoints.
fn wanted(view: &ClusterView, node: Ipv4Addr) -> BTreeMap<SocketAddr, Vec<SocketAddr>> {
    let mut wanted = BTreeMap::new();
    for service in view.iter() {
        for port in service.ports.iter().filter(|p| p.tcp) {
            for ip in addresses(service) {
                wanted.insert(SocketAddr::new(ip, port.port), port.endpoints.clone());
            }
            if let Some(node_port) = port.node_port {
                for ip in [node, Ipv4Addr::LOCALHOST] {
                    wanted.insert(
                        SocketAddr::new(ip.into(), node_port),
                        port.endpoints.clone(),
                    );
                }
            }
        }
    }
    // Objects are anybody's: only loopback addresses are ever served.
    wanted.retain(|address, _| address.ip().is_loopback());
    wanted
}

fn addresses(service: &ServiceView) -> impl Iterator<Item = IpAddr> + '_ {
    service
        .cluster_ip
        .into_iter()
        .chain(service.load_balancers.iter().copied())
}

async fn serve(
    address: SocketAddr,
    endpoints: Vec<SocketAddr>,
    shutdown: &CancellationToken,
) -> std::io::Result<Served> {
    let listener = TcpListener::bind(address).await?;
    let backends = Arc::new(Backends {
        endpoints: Mutex::new(endpoints),
        ..Backends::default()
    });
    let stop = shutdown.child_token();
    tokio::spawn(accept(
        listener,
        Arc::clone(&backends),
        stop.clone(),
        shutdown.clone(),
    ));
    Ok(Served {
        backends,
        _stop: stop.drop_guard(),
    })
}

async fn accept(
    listener: TcpListener,
    backends: Arc<Backends>,
    stop: CancellationToken,
    shutdown: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors: waiting lets others close theirs.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (backends, shutdown) = (Arc::clone(&backends), shutdown.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = forward(stream, &backends) => {}
                () = shutdown.cancelled() => {}
            }
            drop(slot);
        });
    }
}

async fn forward(mut client: TcpStream, backends: &Backends) {
    let Some(mut server) = connect(backends).await else {
        // Refused at once, as packet filters do for a Service without endpoints.
        drop(client.set_zero_linger());
        return;
    };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
}

async fn connect(backends: &Backends) -> Option<TcpStream> {
    for _ in 0..ATTEMPTS {
        let address = backends.next()?;
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => tracing::debug!(%address, %error, "an endpoint does not answer"),
            Err(_) => tracing::debug!(%address, "an endpoint does not answer"),
        }
    }
    None
}
