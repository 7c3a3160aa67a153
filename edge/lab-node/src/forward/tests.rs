use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn echo(greeting: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(greeting).await.unwrap();
        }
    });
    address
}

async fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn connections_go_to_endpoints_in_turn_and_past_dead_ones() {
    let (a, b, dead) = (echo(b"a").await, echo(b"b").await, free_port().await);
    let front = free_port().await;
    let served = serve(front, vec![a, dead, b], &CancellationToken::new())
        .await
        .unwrap();
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.extend(ask(front).await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers.len(), 4);
    assert!(answers.contains(&b'a') && answers.contains(&b'b'));
    *lock(&served.backends.endpoints) = vec![];
    assert!(
        ask(front).await.is_err(),
        "without endpoints the connection is reset"
    );
}

#[test]
fn only_loopback_addresses_are_served() {
    let service = |ip: &str| ServiceView {
        namespace: "ns".to_owned(),
        name: "s".to_owned(),
        cluster_ip: ip.parse().ok(),
        load_balancers: vec![],
        ports: vec![cluster::ServicePort {
            name: String::new(),
            port: 80,
            node_port: Some(30_000),
            tcp: true,
            endpoints: vec![],
        }],
        addresses: vec![],
        host_names: vec![],
    };
    let view = Arc::new(vec![service("10.0.0.1"), service("127.32.64.9")]);
    let node = Ipv4Addr::new(127, 32, 0, 11);
    let texts: Vec<String> = wanted(&view, node)
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        texts,
        ["127.0.0.1:30000", "127.32.0.11:30000", "127.32.64.9:80"]
    );
}
