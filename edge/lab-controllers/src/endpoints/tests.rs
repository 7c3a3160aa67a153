//! Which pods stand behind a Service.

use super::{Records, backends, object, slices};
use crate::fixtures::{self, ago, pod};
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::{Value, json};
use std::sync::Arc;

fn service(more: &Value) -> Service {
    let mut service = json!({
        "metadata": {"name": "web", "namespace": "a", "uid": "service", "labels": {"team": "blue"}},
        "spec": {"selector": {"app": "web"}, "clusterIP": "127.77.64.9",
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
    });
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        service["spec"][key] = value;
    }
    fixtures::object(service)
}

fn web(name: &str, address: &str, more: &Value) -> Arc<Pod> {
    let ports = json!([{"name": "http", "containerPort": 8080}]);
    let mut all = json!({"spec": {"containers": [{"name": "main", "ports": ports}]}, "status": {"podIP": address}});
    for (part, fields) in more.as_object().cloned().unwrap_or_default() {
        for (key, value) in fields.as_object().cloned().unwrap_or_default() {
            all[&part][key] = value;
        }
    }
    pod(name, &all)
}

fn pods() -> [Arc<Pod>; 4] {
    [
        web("b", "127.77.128.2", &json!({})),
        web("a", "127.77.128.1", &json!({"status": {"conditions": []}})),
        web(
            "leaving",
            "127.77.128.3",
            &json!({"metadata": {"deletionTimestamp": ago(1).to_string()}}),
        ),
        web(
            "ended",
            "127.77.128.4",
            &json!({"status": {"phase": "Succeeded"}}),
        ),
    ]
}

#[test]
fn endpoints_list_the_ready_and_the_unready_but_not_the_leaving() {
    let service = service(&json!({}));
    let endpoints = object::endpoints(&service, &backends::of(&service, &pods()));
    let subset = &endpoints.subsets.unwrap()[0];
    let ips = |list: &Option<Vec<k8s_openapi::api::core::v1::EndpointAddress>>| {
        list.iter()
            .flatten()
            .map(|address| address.ip.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ips(&subset.addresses), ["127.77.128.2"]);
    assert_eq!(ips(&subset.not_ready_addresses), ["127.77.128.1"]);
    assert_eq!(subset.ports.as_ref().unwrap()[0].port, 8080);
}

#[test]
fn unready_pods_are_published_if_asked() {
    let service = service(&json!({"publishNotReadyAddresses": true}));
    let endpoints = object::endpoints(&service, &backends::of(&service, &pods()));
    assert_eq!(
        endpoints.subsets.unwrap()[0]
            .addresses
            .as_ref()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn slices_tell_all_conditions_and_settle() {
    let service = service(&json!({}));
    let backends = backends::of(&service, &pods());
    let plan = slices::plan(&service, &[], &backends, Records::Addresses);
    let slice = plan.create.into_iter().next().unwrap();
    let conditions: Vec<_> = slice
        .endpoints
        .iter()
        .flatten()
        .map(|endpoint| {
            let held = endpoint.conditions.clone().unwrap();
            (
                held.ready.unwrap(),
                held.serving.unwrap(),
                held.terminating.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        conditions,
        [
            (false, false, false),
            (true, true, false),
            (false, true, true)
        ]
    );
    let again = slices::plan(&service, &[Arc::new(slice)], &backends, Records::Addresses);
    assert!(again.create.is_empty() && again.update.is_empty() && again.delete.is_empty());
}

#[test]
fn more_than_a_hundred_pods_take_several_slices() {
    let service = service(&json!({}));
    let pods: Vec<_> = (0..250)
        .map(|number| {
            web(
                &format!("pod-{number}"),
                &format!("127.77.128.{number}"),
                &json!({}),
            )
        })
        .collect();
    let plan = slices::plan(
        &service,
        &[],
        &backends::of(&service, &pods),
        Records::Addresses,
    );
    let sizes: Vec<_> = plan
        .create
        .iter()
        .map(|s| s.endpoints.as_ref().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
    let held: Vec<_> = plan.create.into_iter().map(Arc::new).collect();
    let fewer = slices::plan(
        &service,
        &held,
        &backends::of(&service, &pods[..100]),
        Records::Addresses,
    );
    assert_eq!(fewer.delete.len(), 2);
}

#[test]
fn a_service_without_pods_has_one_empty_slice_and_none_of_its_own_kind_has_any() {
    let plain = service(&json!({}));
    let made = slices::plan(&plain, &[], &[], Records::Addresses).create;
    assert_eq!(made.len(), 1);
    assert!(backends::selector(&service(&json!({"type": "ExternalName"}))).is_none());
    assert!(backends::selector(&service(&json!({"selector": null}))).is_none());
}

#[test]
fn a_pod_without_the_named_port_has_no_port() {
    let service = service(&json!({"ports": [{"port": 80, "targetPort": "metrics"}]}));
    let backends = backends::of(&service, &pods()[..1]);
    assert!(backends[0].ports.is_empty());
}

#[test]
fn where_loopback_addresses_are_refused_slices_hold_them_as_names_beside_those_of_upstream() {
    let service = service(&json!({}));
    let backends = backends::of(&service, &pods());
    let upstream = slices::plan(&service, &[], &[], Records::Addresses).create;
    let held: Vec<_> = upstream.into_iter().map(Arc::new).collect();
    let plan = slices::plan(&service, &held, &backends, Records::Names);
    assert!(
        plan.update.is_empty() && plan.delete.is_empty(),
        "another's"
    );
    let slice = &plan.create[0];
    assert_eq!(slice.address_type, "FQDN");
    let first = &slice.endpoints.as_ref().unwrap()[0];
    assert_eq!(first.addresses, ["127.77.128.1"]);
    let held: Vec<_> = plan.create.into_iter().map(Arc::new).collect();
    let again = slices::plan(&service, &held, &backends, Records::Names);
    assert!(again.create.is_empty() && again.update.is_empty() && again.delete.is_empty());
}
