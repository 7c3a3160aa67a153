//! The Services' addresses: a listener for each, which passes connections on to ready endpoints.
//!
//! What kube-proxy does with packet filters is done with sockets here, because every address of the
//! lab is on the loopback interface. [`plan`] says which addresses there should be, `table` brings the
//! listeners in line with it, `listener` and `connection` serve them, `backends` takes turns.
//!
//! A port without endpoints has no listener, so clients are refused as upstream's REJECT rule does.
//! Only TCP; clients appear to endpoints under a loopback address, as behind a masquerade.

mod backends;
mod connection;
mod listener;
mod plan;
mod table;

use crate::cluster::{self, ClusterView};
use crate::host::Host;
use futures::StreamExt;
use plan::{Place, Plan, Target, plan};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use table::Table;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

/// An address that could not be had is tried again this often: another program may have left.
const RETRY: Duration = Duration::from_secs(5);
/// The port of the Service `kubernetes`.
const API_PORT: u16 = 443;

/// Serves the addresses that are this node's to serve until `shutdown`.
///
/// The first node has the whole lab's cluster and LoadBalancer addresses; every node has its own node
/// ports.
pub(crate) async fn run(host: Arc<Host>, shutdown: CancellationToken) {
    let place = Place {
        network: host.config.network,
        node: host.address(),
        first: host.config.number == 1,
    };
    forward(
        host.cluster.clone(),
        place,
        host.config.api_server,
        shutdown,
    )
    .await;
}

/// Follows the Services in `views`. `api_server` is behind the API's cluster address unless the API
/// itself has said what is: those who want to watch by that address must be able to begin.
async fn forward(
    views: watch::Receiver<Option<ClusterView>>,
    place: Place,
    api_server: SocketAddr,
    shutdown: CancellationToken,
) {
    let mut views = std::pin::pin!(cluster::changes(views));
    let mut table = Table::new(shutdown.clone());
    table.apply(with_api(Plan::new(), &place, api_server)).await;
    loop {
        tokio::select! {
            next = views.next() => match next {
                Some(view) => {
                    let plan = plan(&view, &place);
                    table.apply(with_api(plan, &place, api_server)).await;
                }
                None => break,
            },
            () = tokio::time::sleep(RETRY), if table.has_failures() => table.retry().await,
            () = shutdown.cancelled() => break,
        }
    }
    table.close().await;
}

fn with_api(mut plan: Plan, place: &Place, api_server: SocketAddr) -> Plan {
    let own = place.network.service(0).filter(|_| place.first);
    if let Some(ip) = own {
        let address = SocketAddr::new(ip.into(), API_PORT);
        plan.entry(address).or_insert_with(|| Target {
            service: "default/kubernetes".to_owned(),
            endpoints: vec![api_server],
            affinity: None,
        });
    }
    plan
}
