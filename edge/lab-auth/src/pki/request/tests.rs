//! Requests: what the signer of kubelets' certificates checks.

use super::Request;
use std::net::{IpAddr, Ipv4Addr};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;

#[test]
fn a_kubelet_asks_under_its_node_s_name_for_its_names_and_addresses() {
    let address = IpAddr::V4(Ipv4Addr::new(127, 77, 0, 11));
    let names = ["node-1".to_owned()];
    let made = Request::kubelet_serving("node-1", &names, &[address]).unwrap();
    let (_, pem) = parse_x509_pem(made.request_pem.as_bytes()).unwrap();
    assert_eq!(pem.label, "CERTIFICATE REQUEST");
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).unwrap();
    let subject = request.certification_request_info.subject.to_string();
    assert_eq!(subject, "O=system:nodes, CN=system:node:node-1");
    let names: Vec<String> = request
        .requested_extensions()
        .unwrap()
        .filter_map(|extension| match extension {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        })
        .flatten()
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
            other => other.to_string(),
        })
        .collect();
    assert_eq!(names, ["node-1", "[127, 77, 0, 11]"]);
    assert!(made.key_pem.contains("PRIVATE KEY"));
    assert!(!format!("{made:?}").contains("PRIVATE KEY"));
}
