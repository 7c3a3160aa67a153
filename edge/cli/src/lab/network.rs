//! Choosing the lab's block of loopback addresses, so that two labs of one machine do not meet.

use anyhow::{Context, Result, bail};
use runtime::network::LabNetwork;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;

/// A block that is ours while this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    network: LabNetwork,
    _socket: UdpSocket,
}

impl Claim {
    pub(crate) fn network(&self) -> LabNetwork {
        self.network
    }
}

/// The block that the data directory's objects have their addresses in; else the first free one.
pub(crate) fn claim(data_dir: Option<&Path>) -> Result<Claim> {
    let Some(folder) = data_dir else {
        return first_free();
    };
    let file = folder.join("network");
    if let Ok(text) = std::fs::read_to_string(&file) {
        let block = text.trim().parse().ok().and_then(LabNetwork::new);
        let network = block.with_context(|| {
            format!("{} does not hold a block number: remove it", file.display())
        })?;
        return take(network).with_context(|| {
            format!(
                "another lab uses 127.{}.0.0/16, which {} belongs to: stop it first",
                network.block(),
                folder.display(),
            )
        });
    }
    let claim = first_free()?;
    // Whole or not at all: a part of it would keep the next lab from starting.
    lab_auth::pki::write_private(&file, claim.network.block().to_string().as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(claim)
}

/// A block that is known already.
pub(crate) fn claim_block(network: LabNetwork) -> Result<Claim> {
    take(network)
}

fn first_free() -> Result<Claim> {
    let networks = LabNetwork::BLOCKS.filter_map(LabNetwork::new);
    for network in networks {
        if let Ok(claim) = take(network) {
            return Ok(claim);
        }
    }
    bail!(
        "no free block of loopback addresses: 127.32.0.0/16 to 127.126.0.0/16 are all taken by labs"
    )
}

fn take(network: LabNetwork) -> Result<Claim> {
    let address = Ipv4Addr::new(127, network.block(), 0, 1);
    let port = LabNetwork::CLAIM_PORT;
    let socket = UdpSocket::bind((address, port))
        .with_context(|| format!("cannot bind {address}:{port}"))?;
    Ok(Claim {
        network,
        _socket: socket,
    })
}

#[cfg(test)]
mod tests;
