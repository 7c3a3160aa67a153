//! Somebody with a certificate, or without one, and a connection for each request.

use super::DEADLINE;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use lab_auth::pki::Certificate;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub(crate) struct Caller {
    kubelet: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Caller {
    pub(crate) fn new(
        kubelet: SocketAddr,
        ca_pem: &str,
        certificate: Option<&Certificate>,
    ) -> Self {
        let tls = match certificate {
            Some(certificate) => certificate.client_config(ca_pem).unwrap(),
            None => anonymous(ca_pem),
        };
        Self {
            kubelet,
            tls: Arc::new(tls),
        }
    }

    async fn connect(&self) -> Option<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.kubelet).await.ok()?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let name = ServerName::from(self.kubelet.ip());
        Some(connector.connect(name, stream).await.expect("TLS works"))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        self.send("GET", path).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str) -> (StatusCode, String) {
        self.try_send(method, path)
            .await
            .expect("the kubelet answers")
    }

    async fn try_send(&self, method: &str, path: &str) -> Option<(StatusCode, String)> {
        let exchange = async {
            let io = TokioIo::new(self.connect().await?);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
            tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "node-1");
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let response = sender.send_request(request).await.ok()?;
            let status = response.status();
            let body = response.into_body().collect().await.ok()?.to_bytes();
            Some((status, String::from_utf8(body.to_vec()).unwrap()))
        };
        timeout(DEADLINE, exchange)
            .await
            .expect("an answer in time")
    }

    /// Asks until the answer is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&str) -> bool) {
        let end = Instant::now() + DEADLINE;
        loop {
            let answer = self.try_send("GET", path).await;
            if answer.as_ref().is_some_and(|(_, text)| wanted(text)) {
                return;
            }
            assert!(Instant::now() < end, "{path} still gives {answer:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Opens a WebSocket, which must be granted.
    pub(crate) async fn websocket(&self, path: &str) -> Socket {
        let url = format!("wss://{}{path}", self.kubelet);
        let mut request = url.into_client_request().unwrap();
        let protocol = "v5.channel.k8s.io".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = self.connect().await.expect("a connection");
        let opening = tokio_tungstenite::client_async(request, stream);
        timeout(DEADLINE, opening)
            .await
            .expect("an answer in time")
            .unwrap()
            .0
    }
}

fn anonymous(ca_pem: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in runtime::certs::parse_chain(ca_pem.as_bytes()).unwrap() {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
