//! Which addresses lead to which endpoints.

use super::*;
use expect_test::expect;
use std::fmt::Write;

fn place(first: bool) -> Place {
    let network = LabNetwork::new(32).unwrap();
    let node = network.node(if first { 1 } else { 2 });
    Place {
        network,
        node,
        first,
    }
}

fn port(port: u16, node_port: Option<u16>, endpoints: &[&str]) -> ServicePort {
    ServicePort {
        name: String::new(),
        port,
        node_port,
        tcp: true,
        endpoints: endpoints.iter().map(|e| e.parse().unwrap()).collect(),
    }
}

fn service(name: &str, ip: &str, balancers: &[&str], ports: Vec<ServicePort>) -> ServiceView {
    ServiceView {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
        cluster_ip: ip.parse().ok(),
        load_balancers: balancers.iter().map(|b| b.parse().unwrap()).collect(),
        ports,
        addresses: vec![],
        host_names: vec![],
        affinity: None,
    }
}

fn text(plan: &Plan) -> String {
    let mut text = String::new();
    for (address, target) in plan {
        let _ = writeln!(text, "{address} {} {:?}", target.service, target.endpoints);
    }
    text
}

#[test]
fn a_service_has_its_cluster_address_its_balancers_and_ports_of_the_node() {
    let services = [service(
        "app",
        "127.32.64.2",
        &["127.32.1.1"],
        vec![
            port(
                8080,
                Some(30080),
                &["127.32.128.2:8080", "127.32.128.3:8080"],
            ),
            port(9090, None, &["127.32.128.2:9090"]),
        ],
    )];
    expect![[r#"
        127.0.0.1:30080 ns/app [127.32.128.2:8080, 127.32.128.3:8080]
        127.32.0.11:30080 ns/app [127.32.128.2:8080, 127.32.128.3:8080]
        127.32.1.1:8080 ns/app [127.32.128.2:8080, 127.32.128.3:8080]
        127.32.1.1:9090 ns/app [127.32.128.2:9090]
        127.32.64.2:8080 ns/app [127.32.128.2:8080, 127.32.128.3:8080]
        127.32.64.2:9090 ns/app [127.32.128.2:9090]
    "#]]
    .assert_eq(&text(&plan(&services, &place(true))));
    expect![[r#"
        127.32.0.12:30080 ns/app [127.32.128.2:8080, 127.32.128.3:8080]
    "#]]
    .assert_eq(&text(&plan(&services, &place(false))));
}

#[test]
fn only_addresses_that_the_lab_has_for_services_are_served() {
    let ports = || vec![port(80, None, &["127.32.128.2:80"])];
    for ip in [
        "10.0.0.1",
        "127.33.64.2",
        "127.0.0.1",
        "127.32.128.9",
        "127.32.0.11",
        "::1",
    ] {
        let cluster = service("a", ip, &[], ports());
        assert_eq!(
            text(&plan(&[cluster], &place(true))),
            "",
            "{ip} as cluster address"
        );
    }
    for ip in [
        "192.168.0.1",
        "127.32.64.1",
        "127.0.0.1",
        "127.32.0.11",
        "127.32.16.1",
        "::1",
    ] {
        let balancer = service("a", "None", &[ip], ports());
        assert_eq!(
            text(&plan(&[balancer], &place(true))),
            "",
            "{ip} as balancer"
        );
    }
}

#[test]
fn nothing_listens_without_endpoints_or_for_other_protocols() {
    let mut udp = port(53, None, &["127.32.128.2:53"]);
    udp.tcp = false;
    let services = [service(
        "a",
        "127.32.64.2",
        &[],
        vec![port(80, None, &[]), udp],
    )];
    assert_eq!(text(&plan(&services, &place(true))), "");
}

#[test]
fn the_first_of_two_has_an_address_that_both_claim() {
    let ports = |endpoint: &str| vec![port(80, None, &[endpoint])];
    let services = [
        service(
            "a",
            "127.32.64.2",
            &["127.32.1.1"],
            ports("127.32.128.2:80"),
        ),
        service(
            "b",
            "127.32.64.3",
            &["127.32.1.1"],
            ports("127.32.128.3:80"),
        ),
    ];
    expect![[r#"
        127.32.1.1:80 ns/a [127.32.128.2:80]
        127.32.64.2:80 ns/a [127.32.128.2:80]
        127.32.64.3:80 ns/b [127.32.128.3:80]
    "#]]
    .assert_eq(&text(&plan(&services, &place(true))));
}

#[test]
fn connections_do_not_go_round_in_circles() {
    let services = [
        service(
            "a",
            "127.32.64.2",
            &[],
            vec![port(80, None, &["127.32.64.3:80"])],
        ),
        service(
            "b",
            "127.32.64.3",
            &[],
            vec![port(80, None, &["127.32.64.2:80", "127.32.128.2:80"])],
        ),
    ];
    expect![[r#"
        127.32.64.3:80 ns/b [127.32.128.2:80]
    "#]]
    .assert_eq(&text(&plan(&services, &place(true))));
}
