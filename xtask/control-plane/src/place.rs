//! Which addresses a control plane has: its own one of a lab's block, so that the lab can join it.
//!
//! Every part has its usual port there. Labs choose blocks from the first, control planes from the last.

use anyhow::{Result, bail};
use runtime::network::LabNetwork;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// A block in which nothing listens where the parts and a lab would; the search begins at a number of one's own,
/// so that two that begin at once do not meet.
pub(crate) fn choose(ports: &[u16]) -> Result<LabNetwork> {
    let count = LabNetwork::BLOCKS.count();
    let first = usize::try_from(std::process::id())? % count;
    let blocks = LabNetwork::BLOCKS.rev().cycle().skip(first).take(count);
    for network in blocks.filter_map(LabNetwork::new) {
        if is_free(network, ports) {
            return Ok(network);
        }
    }
    bail!("no free block of loopback addresses: end a control plane or a lab first")
}

/// Whether nobody listens there.
pub(crate) fn can_listen(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

fn is_free(network: LabNetwork, ports: &[u16]) -> bool {
    let own = network.control_plane();
    let lab = Ipv4Addr::new(127, network.block(), 0, 1);
    let listens = |port: &u16| can_listen(SocketAddr::new(own.into(), *port));
    UdpSocket::bind((lab, LabNetwork::CLAIM_PORT)).is_ok() && ports.iter().all(listens)
}
