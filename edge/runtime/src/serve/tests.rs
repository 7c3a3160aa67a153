//! What a server bears, over real connections.

use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use std::net::Ipv6Addr;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// A server that answers `hello` on all addresses, and its port.
async fn start(limits: Limits, stop: &CancellationToken) -> u16 {
    let listener = listen([0, 0, 0, 0].into(), 0).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let identity = Identity::self_signed(vec!["localhost".to_owned()]).unwrap();
    let handler = |_: Request<Incoming>| async { Response::new(Full::<Bytes>::from("hello")) };
    tokio::spawn(serve(
        listener,
        tls(identity).unwrap(),
        limits,
        handler,
        stop.clone(),
    ));
    port
}

struct Client {
    sender: http2::SendRequest<Empty<Bytes>>,
    connection: AbortOnDropHandle<hyper::Result<()>>,
}

async fn client(tcp: TcpStream) -> anyhow::Result<Client> {
    let provider = crate::certs::provider();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(crate::certs::AnyServer::new(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect("localhost".try_into()?, tcp).await?;
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(stream))
        .await?;
    Ok(Client {
        sender,
        connection: AbortOnDropHandle::new(tokio::spawn(connection)),
    })
}

async fn ask(client: &mut Client, method: &str) -> anyhow::Result<(Option<String>, Bytes)> {
    let request = Request::builder()
        .method(method)
        .uri("https://localhost/")
        .body(Empty::new())?;
    let (head, body) = client.sender.send_request(request).await?.into_parts();
    let length = head.headers.get("content-length");
    let length = length.and_then(|value| value.to_str().ok());
    Ok((length.map(str::to_owned), body.collect().await?.to_bytes()))
}

#[tokio::test]
async fn head_is_answered_without_a_body_in_http_2_too() {
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let port = start(Limits::default(), &stop).await;
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut client = client(tcp).await.unwrap();
    let five = Some("5".to_owned());
    let get = ask(&mut client, "GET").await.unwrap();
    assert_eq!(get, (five.clone(), Bytes::from("hello")));
    let head = ask(&mut client, "HEAD").await.unwrap();
    assert_eq!(head, (five, Bytes::new()));
}

#[tokio::test]
async fn whoever_only_connects_keeps_nobody_out() {
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let limits = Limits {
        handshakes: 4,
        connections: 2,
        ..Limits::default()
    };
    let port = start(limits, &stop).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    // Idle connections, too, make room.
    let mut idle = Vec::new();
    for _ in 0..4 {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut client = client(tcp).await.unwrap();
        assert_eq!(ask(&mut client, "GET").await.unwrap().1, "hello");
        idle.push(client);
    }
}

#[tokio::test]
async fn a_connection_that_nothing_is_asked_of_is_closed() {
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let port = start(limits, &stop).await;
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let client = client(tcp).await.unwrap();
    let ended = timeout(Duration::from_secs(20), client.connection).await;
    assert!(ended.is_ok(), "still open");
}

#[tokio::test]
async fn an_open_address_means_both_families() {
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let port = start(Limits::default(), &stop).await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    // A machine without IPv6 has nothing to connect to.
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
        assert!(
            TcpStream::connect((Ipv6Addr::LOCALHOST, port))
                .await
                .is_ok()
        );
    }
}
