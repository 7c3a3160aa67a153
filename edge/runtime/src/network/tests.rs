//! The address plan.

use super::LabNetwork;
use std::net::Ipv4Addr;

#[test]
fn a_block_is_known_by_the_address_of_its_first_service() {
    for block in LabNetwork::BLOCKS {
        let network = LabNetwork::new(block).unwrap();
        let first = network.service(0).unwrap();
        assert_eq!(LabNetwork::of_api_service(first), Some(network));
        assert!(network.has_service(first));
        let second = network.service(1).unwrap();
        assert_eq!(LabNetwork::of_api_service(second), None);
    }
    for other in [[10, 96, 0, 1], [127, 0, 64, 1], [127, 31, 64, 1]] {
        assert_eq!(LabNetwork::of_api_service(Ipv4Addr::from(other)), None);
    }
}
