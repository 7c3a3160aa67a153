//! Which address a load balancer gets.

use super::plan;
use k8s_openapi::api::core::v1::Service;
use runtime::network::LabNetwork;
use serde_json::{Value, json};
use std::sync::Arc;

fn service(name: &str, kind: &str, address: Option<&str>) -> Arc<Service> {
    let ingress: Vec<Value> = address.iter().map(|ip| json!({"ip": ip})).collect();
    let service = json!({
        "metadata": {"name": name, "namespace": "a"},
        "spec": {"type": kind},
        "status": {"loadBalancer": {"ingress": ingress}},
    });
    Arc::new(serde_json::from_value(service).unwrap())
}

fn network() -> LabNetwork {
    LabNetwork::new(77).unwrap()
}

#[test]
fn the_lowest_free_address_is_given() {
    let new = service("new", "LoadBalancer", None);
    let all = [
        service("old", "LoadBalancer", Some("127.77.1.1")),
        new.clone(),
    ];
    let status = plan(&new, &all, network()).unwrap();
    assert_eq!(status["loadBalancer"]["ingress"][0]["ip"], "127.77.1.2");
}

#[test]
fn a_service_that_has_an_address_keeps_it() {
    let old = service("old", "LoadBalancer", Some("127.77.1.9"));
    assert_eq!(plan(&old, std::slice::from_ref(&old), network()), None);
}

#[test]
fn a_change_of_type_gives_the_address_back() {
    let changed = service("changed", "ClusterIP", Some("127.77.1.1"));
    assert_eq!(
        plan(&changed, &[], network()),
        Some(json!({"loadBalancer": null}))
    );
    assert_eq!(
        plan(&service("plain", "ClusterIP", None), &[], network()),
        None
    );
}
