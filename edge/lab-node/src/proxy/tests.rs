//! Connections to Services over real sockets.

use super::*;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use runtime::network::LabNetwork;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// A block that no lab on this machine chooses first.
const NETWORK: u8 = 125;
const PATIENCE: Duration = Duration::from_secs(20);

/// Says its name, then all that it hears, once it has heard the end of it.
async fn echo(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = Vec::new();
                stream.read_to_end(&mut heard).await.unwrap();
                stream.write_all(name.as_bytes()).await.unwrap();
                stream.write_all(&heard).await.unwrap();
            });
        }
    });
    address
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b" hello").await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    Ok(answer)
}

/// Asks until the answer is as wanted.
async fn eventually(address: SocketAddr, wanted: impl Fn(&std::io::Result<String>) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask(address).await;
        if wanted(&answer) {
            return;
        }
        assert!(Instant::now() < end, "{address} still answers {answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn slice(endpoints: &[SocketAddr]) -> Value {
    // One slice for each port, as endpoints on one machine have their own.
    json!({
        "metadata": {"name": "app", "labels": {"kubernetes.io/service-name": "app"}},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": endpoints[0].port(), "protocol": "TCP"}],
        "endpoints": endpoints.iter().map(|e| json!({
            "addresses": [e.ip().to_string()],
            "conditions": {"ready": true, "serving": true, "terminating": false},
        })).collect::<Vec<_>>(),
    })
}

fn object<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn a_service_of_a_lab_answers_at_its_addresses_as_long_as_it_has_endpoints() {
    let lab = testkit::lab().await.unwrap();
    // The lab in memory has its own block; other tests of this machine may use it, too.
    let network = LabNetwork::new(*LabNetwork::BLOCKS.start()).unwrap();
    let (services, slices) = (
        Api::<Service>::default_namespaced(lab.client.clone()),
        Api::<EndpointSlice>::default_namespaced(lab.client.clone()),
    );
    let shutdown = CancellationToken::new();
    let node = network.node(90);
    let place = Place {
        network,
        node,
        first: true,
    };
    let api = echo("api").await;
    let views = cluster::watch(&lab.client, &shutdown);
    let proxy = tokio::spawn(forward(views, place, api, shutdown.clone()));

    let wanted = json!({
        "metadata": {"name": "app"},
        "spec": {"type": "NodePort", "selector": {"app": "x"}, "ports": [{"port": 18080}]},
    });
    let created = services
        .create(&PostParams::default(), &object(wanted))
        .await
        .unwrap();
    let spec = created.spec.unwrap();
    let ip: Ipv4Addr = spec.cluster_ip.unwrap().parse().unwrap();
    let node_port = u16::try_from(spec.ports.unwrap()[0].node_port.unwrap()).unwrap();
    let front = SocketAddr::new(ip.into(), 18080);
    eventually(front, Result::is_err).await;

    let (a, b) = (echo("a").await, echo("b").await);
    slices
        .create(&PostParams::default(), &object(slice(&[a])))
        .await
        .unwrap();
    eventually(front, |answer| matches!(answer.as_deref(), Ok("a hello"))).await;
    let on_node = SocketAddr::new(node.into(), node_port);
    assert_eq!(ask(on_node).await.unwrap(), "a hello");

    let open = TcpStream::connect(front).await.unwrap();
    let patch = Patch::Merge(slice(&[b]));
    slices
        .patch("app", &PatchParams::default(), &patch)
        .await
        .unwrap();
    eventually(front, |answer| matches!(answer.as_deref(), Ok("b hello"))).await;
    let (mut open, mut answer) = (open, String::new());
    open.shutdown().await.unwrap();
    open.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "a", "connections stay where they are");

    services
        .delete("app", &DeleteParams::default())
        .await
        .unwrap();
    eventually(front, Result::is_err).await;
    shutdown.cancel();
    timeout(PATIENCE, proxy)
        .await
        .expect("the proxy ends")
        .unwrap();
    TcpListener::bind(front)
        .await
        .expect("its addresses are free");
}

fn target(endpoints: Vec<SocketAddr>) -> Target {
    Target {
        service: "ns/app".to_owned(),
        endpoints,
        affinity: None,
    }
}

async fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::new(127, NETWORK, 64, 9), 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn the_second_endpoint_is_tried_when_the_first_refuses() {
    let (dead, alive, front) = (free_port().await, echo("alive").await, free_port().await);
    let mut table = Table::new(CancellationToken::new());
    table
        .apply([(front, target(vec![dead, alive]))].into())
        .await;
    for _ in 0..3 {
        assert_eq!(ask(front).await.unwrap(), "alive hello");
    }
    table.apply([(front, target(vec![dead]))].into()).await;
    assert!(ask(front).await.is_err(), "a reset, not an empty answer");
    table.close().await;
}

#[tokio::test]
async fn an_address_that_another_program_has_is_tried_again() {
    let front = free_port().await;
    let other = TcpListener::bind(front).await.unwrap();
    let mut table = Table::new(CancellationToken::new());
    table
        .apply([(front, target(vec![echo("a").await]))].into())
        .await;
    assert!(table.has_failures());
    drop(other);
    table.retry().await;
    assert!(!table.has_failures());
    assert_eq!(ask(front).await.unwrap(), "a hello");
    table.close().await;
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_are_closed_at_once() {
    let (front, shared) = (
        free_port().await,
        listener::Shared::new(1, CancellationToken::new()),
    );
    let backend = echo("a").await;
    let listener = listener::Listener::bind(front, target(vec![backend]), &shared)
        .await
        .unwrap();
    let mut first = TcpStream::connect(front).await.unwrap();
    eventually(front, Result::is_err).await;
    first.shutdown().await.unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "a");
    eventually(front, |answer| matches!(answer.as_deref(), Ok("a hello"))).await;
    listener.close().await;
}

#[tokio::test]
async fn the_api_answers_at_its_cluster_address_before_anything_is_known() {
    let network = LabNetwork::new(NETWORK).unwrap();
    let place = Place {
        network,
        node: network.node(1),
        first: true,
    };
    let api = "127.0.0.1:6443".parse().unwrap();
    let plan = with_api(Plan::new(), &place, api);
    let known: Vec<_> = plan
        .iter()
        .map(|(a, t)| (a.to_string(), t.endpoints.clone()))
        .collect();
    assert_eq!(known, [("127.125.64.1:443".to_owned(), vec![api])]);
    let elsewhere = Place {
        first: false,
        ..place
    };
    assert!(with_api(Plan::new(), &elsewhere, api).is_empty());
}
