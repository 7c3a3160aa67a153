//! Kubelets that say what a test wants and remember what they were asked, and a metrics server with its flags.

use crate::Program;
use crate::faults::{kubeconfig_text, start_api};
use bytes::Bytes;
use clap::Parser;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use runtime::certs::Identity;
use runtime::serve::{Limits, Peer, serve, tls};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a kubelet was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) token: String,
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

/// One that runs until it is dropped.
pub(super) struct Kubelet {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    _stop: DropGuard,
}

impl Kubelet {
    /// Answers with what `answer` gives for the request's number; an error for nothing. Port 0 is any.
    pub(super) async fn start(
        address: &str,
        port: u16,
        answer: impl Fn(usize) -> Option<String> + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let files = tempfile::tempdir().unwrap();
        let names = vec![address.to_owned()];
        let identity = Identity::load_or_create(files.path(), "kubelet", names).unwrap();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let hearing = Arc::clone(&heard);
        let handler = move |request: Request<Incoming>| {
            let turn = {
                let mut heard = hearing.lock().unwrap();
                heard.push(Heard::of(&request));
                heard.len() - 1
            };
            let text = answer(turn);
            async move {
                let code = text
                    .as_ref()
                    .map_or(StatusCode::INTERNAL_SERVER_ERROR, |_| StatusCode::OK);
                let mut response = Response::new(Full::<Bytes>::from(text.unwrap_or_default()));
                *response.status_mut() = code;
                response
            }
        };
        let stop = CancellationToken::new();
        let tls = tls(identity).unwrap();
        tokio::spawn(serve(
            listener,
            tls,
            Limits::default(),
            handler,
            stop.clone(),
        ));
        Self {
            port,
            heard,
            _stop: stop.drop_guard(),
        }
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl Heard {
    fn of(request: &Request<Incoming>) -> Self {
        let token = request.headers().get(AUTHORIZATION);
        let peer = request.extensions().get::<Peer>();
        Self {
            path: request.uri().path().to_owned(),
            token: token.map_or_else(String::new, |token| token.to_str().unwrap().to_owned()),
            certificates: peer.unwrap().certificates.to_vec(),
        }
    }
}

/// What a kubelet says now: the node and its containers use a core each, and had used so many seconds of it when the
/// first test began. A container called `back` uses nothing.
pub(super) fn text(node: f64, containers: &[(&str, f64)]) -> String {
    static BEGUN: OnceLock<i64> = OnceLock::new();
    let now = runtime::clock::now().as_millisecond();
    let used = |before: f64| before + (now - BEGUN.get_or_init(|| now)) as f64 / 1e3;
    let mut text = format!(
        "node_cpu_usage_seconds_total {} {now}\nnode_memory_working_set_bytes 1073741824 {now}\n",
        used(node)
    );
    for (container, before) in containers {
        let of = format!("{{container=\"{container}\",namespace=\"flags\",pod=\"web\"}}");
        let cpu = if *container == "back" {
            *before
        } else {
            used(*before)
        };
        text += &format!(
            "container_cpu_usage_seconds_total{of} {cpu} {now}\n\
             container_memory_working_set_bytes{of} 67108864 {now}\n\
             container_start_time_seconds{of} 1000\n"
        );
    }
    text
}

pub(super) fn node(name: &str, addresses: &[(&str, &str)], port: u16) -> Value {
    let addresses: Vec<Value> = addresses
        .iter()
        .map(|(kind, address)| json!({"type": kind, "address": address}))
        .collect();
    json!({
        "kind": "Node", "apiVersion": "v1", "metadata": {"name": name},
        "status": {
            "addresses": addresses,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}

/// The only pod.
fn pod() -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": "web", "namespace": "flags"},
    })
}

/// A metrics server that an administrator asks.
pub(super) struct Running {
    client: kube::Client,
    stop: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    _files: tempfile::TempDir,
}

impl Running {
    pub(super) async fn start(nodes: Vec<Value>, flags: &[&str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let api = start_api(nodes, vec![pod()]).await;
        let kubeconfig = files.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_text(api)).unwrap();
        let address = own_address();
        let usual = [
            "metrics-server".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--cert-dir={}", files.path().display()),
            format!("--bind-address={}", address.ip()),
            format!("--secure-port={}", address.port()),
            "--metric-resolution=10s".to_owned(),
            "--kubelet-request-timeout=5s".to_owned(),
            "--kubelet-insecure-tls".to_owned(),
            "--kubelet-use-node-status-port".to_owned(),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
        ];
        let name = |flag: &str| flag.split('=').next().unwrap().to_owned();
        let given = |usual: &String| flags.iter().any(|flag| name(flag) == name(usual));
        let usual = usual.into_iter().filter(|usual| !given(usual));
        let flags = usual.chain(flags.iter().map(|flag| (*flag).to_owned()));
        let args = Program::try_parse_from(flags).unwrap().args;
        let stop = CancellationToken::new();
        Self {
            client: client(address),
            server: tokio::spawn(metrics_server::run(args, stop.clone())),
            stop,
            _files: files,
        }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.server.await.unwrap().unwrap();
    }

    /// Code and body; code 0 while nobody listens.
    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::get(path).body(Vec::new()).unwrap();
        match self.client.request::<Value>(request).await {
            Ok(body) => (200, body),
            Err(kube::Error::Api(status)) => (status.code, json!(status.message)),
            Err(_) => (0, Value::Null),
        }
    }

    /// Asks until there is this code.
    pub(super) async fn until(&self, path: &str, wanted: u16) -> Value {
        let mut last = (0, Value::Null);
        for _ in 0..600 {
            last = self.get(path).await;
            if last.0 == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(last.0, wanted, "{path}: {}", last.1);
        last.1
    }

    /// Asks until the metrics have this text.
    pub(super) async fn metric(&self, wanted: &str) {
        let mut last = String::new();
        for _ in 0..600 {
            let request = Request::get("/metrics").body(Vec::new()).unwrap();
            last = self.client.request_text(request).await.unwrap_or_default();
            if last.contains(wanted) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(last.contains(wanted), "{wanted} never in:\n{last}");
    }
}

/// A free port of an address that nobody else uses: between its choice and its use no other may take it.
fn own_address() -> SocketAddr {
    static USED: AtomicU8 = AtomicU8::new(2);
    let last = USED.fetch_add(1, Ordering::Relaxed);
    let listener = std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 77, last), 0)).unwrap();
    listener.local_addr().unwrap()
}

fn client(address: SocketAddr) -> kube::Client {
    let mut config = kube::Config::new(format!("https://{address}").parse().unwrap());
    config.accept_invalid_certs = true;
    config.auth_info.token = Some("good".to_owned().into());
    kube::Client::try_from(config).unwrap()
}
