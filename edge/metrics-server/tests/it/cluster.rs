//! What surrounds the metrics server: an API with one node and one pod, and the node's kubelet.

use crate::Program;
use bytes::Bytes;
use clap::Parser;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use runtime::certs::Identity;
use runtime::serve::{Limits, serve, tls};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How the node's kubelet answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kubelet {
    /// `/metrics/resource`, as today's.
    Modern,
    /// It forbids that, as RBAC of metrics-server v0.4 does.
    SummaryOnly,
}

/// A running metrics server and its surroundings.
pub(crate) struct Scene {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    client: tokio_rustls::TlsConnector,
    _files: tempfile::TempDir,
}

impl Scene {
    /// `trust` is the flag about the kubelet's certificate.
    pub(crate) async fn start(kubelet: Kubelet, trust: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let shutdown = CancellationToken::new();
        let kubelet_address = start_kubelet(kubelet, files.path(), &shutdown).await;
        let api = start_api(kubelet_address.port()).await;
        let kubeconfig = files.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_text(api)).unwrap();
        let address = free_address().await;
        let trust = match trust {
            "--kubelet-certificate-authority" => {
                format!("{trust}={}", files.path().join("kubelet.crt").display())
            }
            other => other.to_owned(),
        };
        let flags = [
            "metrics-server".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--cert-dir={}", files.path().display()),
            format!("--bind-address={}", address.ip()),
            format!("--secure-port={}", address.port()),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--kubelet-use-node-status-port".to_owned(),
            "--metric-resolution=15s".to_owned(),
            trust,
        ];
        let flags = flags.iter().filter(|flag| !flag.is_empty());
        let args = Program::try_parse_from(flags).unwrap().args;
        let server = tokio::spawn(metrics_server::run(args, shutdown.clone()));
        let client = trusting_client(files.path()).await;
        Self {
            address,
            shutdown,
            server,
            client,
            _files: files,
        }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.server.await.unwrap().unwrap();
    }

    /// One request; code 0 while nobody listens.
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        self.request(path, token).await.unwrap_or_default()
    }

    async fn request(&self, path: &str, token: Option<&str>) -> anyhow::Result<(u16, String)> {
        let tcp = tokio::net::TcpStream::connect(self.address).await?;
        let stream = self.client.connect("localhost".try_into()?, tcp).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let _connection = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
        let mut request = Request::get(path).header("host", "localhost");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = sender
            .send_request(request.body(Full::<Bytes>::default())?)
            .await?;
        let code = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((code, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Asks again until `wanted`, for twenty seconds at most.
    pub(crate) async fn get_until(
        &self,
        path: &str,
        token: Option<&str>,
        wanted: u16,
    ) -> (u16, String) {
        let mut last = (0, String::new());
        for _ in 0..400 {
            last = self.get(path, token).await;
            if last.0 == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        last
    }

    /// Waits until the answer to an administrator contains `text`.
    pub(crate) async fn wait_for(&self, path: &str, text: &str) {
        let mut last = String::new();
        for _ in 0..400 {
            last = self.get(path, Some("good")).await.1;
            if last.contains(text) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(last.contains(text), "{text} not seen in: {last}");
    }
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A client that believes the server's self-signed certificate, once it is there.
async fn trusting_client(files: &Path) -> tokio_rustls::TlsConnector {
    let file = files.join("apiserver.crt");
    for _ in 0..400 {
        if file.is_file() && runtime::certs::read_chain(&file).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let roots = runtime::certs::roots(&runtime::certs::read_chain(&file).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(runtime::certs::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config))
}

fn kubeconfig_text(api: SocketAddr) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{api}")}}],
        "users": [{"name": "u", "user": {"token": "ours"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    })
    .to_string()
}

async fn start_kubelet(kind: Kubelet, files: &Path, shutdown: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let identity =
        Identity::load_or_create(files, "kubelet", vec!["127.0.0.1".to_owned()]).unwrap();
    let handler = move |request: Request<Incoming>| async move { kubelet(kind, &request) };
    let serving = serve(
        listener,
        tls(identity).unwrap(),
        Limits::default(),
        handler,
        shutdown.clone(),
    );
    tokio::spawn(serving);
    address
}

/// The pod started twelve seconds ago and has used three seconds of CPU: 250m. The node uses a core.
fn kubelet(kind: Kubelet, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    // Whole seconds: the text format has them as a float.
    let now = jiff::Timestamp::from_second(runtime::clock::now().as_second()).unwrap();
    let started = now - jiff::SignedDuration::from_secs(12);
    let known = request
        .headers()
        .get(AUTHORIZATION)
        .is_some_and(|value| value == "Bearer ours");
    let (code, body) = match (request.uri().path(), kind) {
        _ if !known => (StatusCode::UNAUTHORIZED, String::new()),
        ("/metrics/resource", Kubelet::SummaryOnly) => (StatusCode::FORBIDDEN, "no".to_owned()),
        ("/metrics/resource", Kubelet::Modern) => {
            let of = "{container=\"app\",namespace=\"eks-work\",pod=\"web-1\"}";
            let (start, at) = (started.as_millisecond() as f64 / 1e3, now.as_millisecond());
            let text = format!(
                "node_cpu_usage_seconds_total {} {at}\n\
                 node_memory_working_set_bytes 1073741824 {at}\n\
                 container_start_time_seconds{of} {start}\n\
                 container_cpu_usage_seconds_total{of} 3 {at}\n\
                 container_memory_working_set_bytes{of} 67108864 {at}\n",
                now.as_second()
            );
            (StatusCode::OK, text)
        }
        ("/stats/summary", Kubelet::SummaryOnly) => {
            let json = serde_json::json!({"node": {}, "pods": [{
                "podRef": {"name": "web-1", "namespace": "eks-work"},
                "containers": [{
                    "name": "app", "startTime": started,
                    "cpu": {"time": now, "usageCoreNanoSeconds": 3_000_000_000_u64},
                    "memory": {"workingSetBytes": 67_108_864},
                }],
            }]});
            (StatusCode::OK, json.to_string())
        }
        _ => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = code;
    response
}

async fn start_api(kubelet_port: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(move |request| async move {
                Ok::<_, Infallible>(api(request, kubelet_port).await)
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving);
        }
    });
    address
}

async fn api(request: Request<Incoming>, kubelet_port: u16) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("watch=true"))
    {
        // Nothing ever changes.
        std::future::pending::<()>().await;
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    let list = |kind: &str, version: &str, item: serde_json::Value| serde_json::json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": [item]});
    let answer = match path.as_str() {
        "/api/v1/nodes" => list("NodeList", "v1", node(kubelet_port)),
        "/api/v1/pods" => list(
            "PartialObjectMetadataList",
            "meta.k8s.io/v1",
            serde_json::json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"name": "web-1", "namespace": "eks-work", "labels": {"app": "web"}},
            }),
        ),
        "/apis/authentication.k8s.io/v1/tokenreviews" => serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": ""},
            "status": {"authenticated": body.contains("\"good\""), "user": {"username": "ada"}},
        }),
        "/apis/authorization.k8s.io/v1/subjectaccessreviews" => serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {},
            "status": {"allowed": body.contains("\"ada\"")},
        }),
        _ => {
            serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {}})
        }
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}

fn node(kubelet_port: u16) -> serde_json::Value {
    serde_json::json!({
        "kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}
