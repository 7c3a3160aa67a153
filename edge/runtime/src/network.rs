//! Where everything of a lab has its address: one block of the loopback range a lab.
//!
//! Only arithmetic: nothing is bound here.

use std::net::Ipv4Addr;

/// The loopback block `127.BLOCK.0.0/16` of one lab.
///
/// | what | addresses |
/// | --- | --- |
/// | a control plane that the lab's nodes join | `127.B.0.2` |
/// | node *n* (from 1) | `127.B.0.(10 + n)` |
/// | LoadBalancer ingress | `127.B.1.0 – 127.B.15.255` |
/// | simulated nodes | `127.B.16.0 – 127.B.63.255` |
/// | Service cluster addresses | `127.B.64.0/18`, the `kubernetes` Service at `127.B.64.1` |
/// | pods of node *n* | `127.B.(127 + n).0/24` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabNetwork {
    block: u8,
}

impl LabNetwork {
    /// The blocks that a lab chooses from.
    pub const BLOCKS: std::ops::RangeInclusive<u8> = 32..=126;
    /// The most nodes that fit.
    pub const NODES_MAX: u8 = 128;
    /// The most LoadBalancer addresses that fit.
    pub const LOAD_BALANCERS_MAX: u16 = 15 * 256;
    /// The most Service addresses that fit; the first is the API server's.
    pub const SERVICES_MAX: u16 = 64 * 256 - 2;

    /// Whoever has this UDP port on a block's first address has the block.
    pub const CLAIM_PORT: u16 = 10_249;
    /// The most simulated nodes that fit.
    pub const SIMULATED_MAX: u16 = 48 * 256;

    /// The lab that has block `block`, which must be one of [`Self::BLOCKS`].
    pub fn new(block: u8) -> Option<Self> {
        Self::BLOCKS.contains(&block).then_some(Self { block })
    }

    /// The lab that has `address` for the Service `kubernetes`, if one can have it.
    pub fn of_api_service(address: Ipv4Addr) -> Option<Self> {
        let network = Self::new(address.octets()[1])?;
        (network.service(0) == Some(address)).then_some(network)
    }

    /// The second octet of every address.
    pub fn block(self) -> u8 {
        self.block
    }

    /// Where a control plane is that a lab of this block can join.
    pub fn control_plane(self) -> Ipv4Addr {
        Ipv4Addr::new(127, self.block, 0, 2)
    }

    /// The address of node `number`, counted from 1.
    pub fn node(self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.block, 0, number.saturating_add(10))
    }

    /// The address of simulated node number `index`, from 0.
    pub fn simulated(self, index: u16) -> Option<Ipv4Addr> {
        let [high, low] = index.to_be_bytes();
        (index < Self::SIMULATED_MAX).then(|| Ipv4Addr::new(127, self.block, 16 + high, low))
    }

    /// A node's pod range as `Node.spec.podCIDR` has it.
    pub fn pod_cidr(self, node_number: u8) -> String {
        format!(
            "127.{}.{}.0/24",
            self.block,
            127_u8.saturating_add(node_number)
        )
    }

    /// Service address number `index` (0 is the `kubernetes` Service).
    pub fn service(self, index: u16) -> Option<Ipv4Addr> {
        let [high, low] = index.checked_add(1)?.to_be_bytes();
        (index < Self::SERVICES_MAX).then(|| Ipv4Addr::new(127, self.block, 64 + high, low))
    }

    /// The range of all Service addresses, as `--service-cluster-ip-range` has it.
    pub fn service_cidr(self) -> String {
        format!("127.{}.64.0/18", self.block)
    }

    /// Whether `address` is a Service address of this lab.
    pub fn has_service(self, address: Ipv4Addr) -> bool {
        let [net, block, third, _] = address.octets();
        net == 127 && block == self.block && (64..128).contains(&third)
    }

    /// LoadBalancer address number `index`.
    pub fn load_balancer(self, index: u16) -> Option<Ipv4Addr> {
        let [high, low] = index.checked_add(1)?.to_be_bytes();
        (index < Self::LOAD_BALANCERS_MAX - 1)
            .then(|| Ipv4Addr::new(127, self.block, 1 + high, low))
    }
}

#[cfg(test)]
mod tests;
