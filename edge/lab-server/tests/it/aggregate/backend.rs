//! A server behind the aggregation layer that shows what it is asked.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use runtime::certs::Identity;
use runtime::serve::{Limits, Peer, serve, tls};
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A backend; it ends when it is dropped.
pub(super) struct Backend {
    pub(super) address: SocketAddr,
    /// Its certificate, PEM.
    pub(super) certificate: String,
    failing: Arc<AtomicBool>,
    _stop: DropGuard,
}

impl Backend {
    pub(super) async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let names = vec!["metrics-server.kube-system.svc".to_owned()];
        let identity = Identity::load_or_create(directory.path(), "backend", names);
        let identity = identity.expect("a certificate");
        let file = directory.path().join("backend.crt");
        let certificate = std::fs::read_to_string(file).expect("the certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let failing = Arc::new(AtomicBool::new(false));
        let stop = CancellationToken::new();
        let failing_now = Arc::clone(&failing);
        let handler = move |request| answer(request, failing_now.load(Ordering::SeqCst));
        let limits = Limits {
            drain: std::time::Duration::ZERO,
            ..Limits::default()
        };
        let tls = tls(identity).expect("TLS settings");
        tokio::spawn(serve(listener, tls, limits, handler, stop.clone()));
        Self {
            address,
            certificate,
            failing,
            _stop: stop.drop_guard(),
        }
    }

    /// Answers everything with 503, or no longer.
    pub(super) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }
}

async fn answer(request: Request<Incoming>, failing: bool) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let watch = request.uri().query() == Some("watch=true");
    let (code, body) = match path.as_str() {
        _ if failing => (StatusCode::SERVICE_UNAVAILABLE, full("not now")),
        "/apis/metrics.k8s.io/v1beta1" => (StatusCode::OK, full(discovery())),
        "/apis/metrics.k8s.io/v1beta1/nodes" if watch => (StatusCode::OK, endless()),
        "/apis/metrics.k8s.io/v1beta1/nodes" => {
            let seen = json!({"seen": describe(&request)}).to_string();
            (StatusCode::OK, full(seen))
        }
        "/apis/metrics.k8s.io/v1beta1/echo" => {
            let bytes = request.into_body().collect().await;
            (StatusCode::OK, full(bytes.expect("a body").to_bytes()))
        }
        "/openapi/v3" => (StatusCode::OK, full(openapi_index())),
        "/openapi/v3/apis/metrics.k8s.io/v1beta1" => (
            StatusCode::OK,
            full(json!({"openapi": "3.0.0"}).to_string()),
        ),
        _ => (StatusCode::NOT_FOUND, full("")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// One piece, and then nothing, without an end.
fn endless() -> Body {
    use futures::StreamExt;
    let one = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"one\n")))]);
    StreamBody::new(one.chain(futures::stream::pending())).boxed_unsync()
}

fn discovery() -> String {
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
        "resources": [
            {"name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"]},
            {"name": "nodes/log", "singularName": "", "namespaced": false, "kind": "Log", "group": "other", "version": "v2", "verbs": ["get"]},
        ],
    })
    .to_string()
}

fn openapi_index() -> String {
    json!({"paths": {
        "apis/metrics.k8s.io/v1beta1": {"serverRelativeURL": "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=1"},
        "apis": {"serverRelativeURL": "/openapi/v3/apis?hash=2"},
    }})
    .to_string()
}

/// The request, its headers in order, and whose certificate came with it.
fn describe(request: &Request<Incoming>) -> String {
    let peer = request.extensions().get::<Peer>().expect("a peer");
    let name = peer.certificates.first().map(|der| {
        let user = lab_auth::pki::user_from_certificate(der);
        user.map(|user| user.name).unwrap_or_default()
    });
    let path = request
        .uri()
        .path_and_query()
        .map_or("", |path| path.as_str());
    let mut lines: Vec<String> = request
        .headers()
        .iter()
        .map(|(key, value)| format!("{key}: {}", value.to_str().unwrap_or("?")))
        .filter(|line| !line.starts_with("host: "))
        .collect();
    // Values of one header keep their order.
    lines.sort_by(|a, b| a.split(": ").next().cmp(&b.split(": ").next()));
    format!(
        "{} {path}\ncertificate: {}\n{}\n",
        request.method(),
        name.unwrap_or_default(),
        lines.join("\n"),
    )
}
