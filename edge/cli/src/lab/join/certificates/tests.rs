//! Which certificates are asked for.

use super::{Certificates, of, own_authority, self_made, wanted};
use runtime::network::LabNetwork;
use std::sync::Arc;

#[test]
fn every_node_has_a_certificate_and_a_hundred_simulated_ones_share_theirs() {
    let network = LabNetwork::new(77).unwrap();
    let all = wanted(network, 2, 250);
    let sizes: Vec<usize> = all.iter().map(|wanted| wanted.0.len()).collect();
    assert_eq!(sizes, [1, 1, 100, 100, 50]);
    assert_eq!(all[1].0, [("node-2".to_owned(), network.node(2))]);
    let last = all[4].0.last().unwrap();
    assert_eq!(
        *last,
        ("simulated-250".to_owned(), network.simulated(249).unwrap())
    );
    assert!(wanted(network, 0, 0).is_empty());
}

#[test]
fn where_nobody_signs_the_lab_s_own_authority_does() {
    let network = LabNetwork::new(77).unwrap();
    let wanted = &wanted(network, 1, 0)[0];
    let made = self_made(&own_authority().unwrap(), wanted).unwrap();
    let certificates = Certificates::from([("node-1".to_owned(), Arc::new(made.clone()))]);
    assert_eq!(of(&certificates, "node-1").unwrap(), made);
    let error = of(&certificates, "node-2").unwrap_err();
    assert_eq!(error.to_string(), "no certificate was made for node-2");
}
