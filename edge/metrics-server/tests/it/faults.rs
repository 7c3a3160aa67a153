//! Hundreds of kubelets, most of them broken in some way: the healthy ones are measured all the same.

use crate::Program;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use runtime::certs::Identity;
use runtime::serve::{Limits, serve, tls};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What is wrong with a kubelet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Nobody listens.
    Dead,
    /// Takes the connection and says nothing.
    Mute,
    /// No TLS, and no HTTP either.
    Babble,
    /// A certificate that nobody vouches for.
    Stranger,
    /// The head, then nothing more.
    Stuck,
    /// Ends in the middle.
    Truncated,
    /// Never ends.
    Endless,
    /// Bytes that are no text.
    Garbage,
    /// Text that is no metrics.
    Prose,
    /// A clock that leaps.
    Leaping,
    /// Answers, but takes nearly all the time it has.
    Slow,
    /// Announces more than it sends, and closes.
    Cut,
}

/// So many of each are there.
const CROWD: [(Fault, usize); 13] = [
    (Fault::None, 60),
    (Fault::Dead, 30),
    (Fault::Mute, 30),
    (Fault::Babble, 10),
    (Fault::Stranger, 20),
    (Fault::Stuck, 30),
    (Fault::Truncated, 10),
    (Fault::Endless, 10),
    (Fault::Garbage, 10),
    (Fault::Prose, 10),
    (Fault::Leaping, 10),
    (Fault::Slow, 10),
    (Fault::Cut, 10),
];
/// Those whose figures are served.
const MEASURED: usize = 70;
/// How much more memory may be taken, the kubelets of this test included: without limits it would be gigabytes.
const GROWTH_MAX_KIB: u64 = 384 << 10;

/// Of the five seconds that a scrape may take.
const SLOW: Duration = Duration::from_millis(1_500);

static PANICS: AtomicU64 = AtomicU64::new(0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_healthy_are_measured_whatever_the_others_do() {
    count_panics();
    let files = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let (nodes, pods) = crowd(files.path(), &stop).await;
    let api = start_api(nodes, pods).await;
    let kubeconfig = files.path().join("kubeconfig");
    std::fs::write(&kubeconfig, kubeconfig_text(api)).unwrap();
    let address = free_address().await;
    let args = Program::try_parse_from([
        "metrics-server".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--cert-dir={}", files.path().display()),
        format!("--bind-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        "--metric-resolution=10s".to_owned(),
        "--kubelet-request-timeout=5s".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--kubelet-use-node-status-port".to_owned(),
        format!(
            "--kubelet-certificate-authority={}",
            files.path().join("kubelet.crt").display()
        ),
    ]);
    let server = metrics_server::run(args.unwrap().args, stop.clone());
    let before_kib = resident_kib();
    let server = tokio::spawn(server);

    let first = served(address, |pods| pods.len() == MEASURED).await;
    for pod in &first {
        let cpu = pod["containers"][0]["usage"]["cpu"].as_str().unwrap();
        // The text has floats: a nanosecond more or less.
        let is_quarter = cpu == "250m" || cpu.starts_with("2499") || cpu.starts_with("2500");
        assert!(is_quarter, "{}: {cpu}", name(pod));
    }
    // All of them go on being measured, none behind those that keep failing.
    let times = |pods: &[Value]| -> Vec<String> {
        let time = |pod: &Value| pod["timestamp"].as_str().unwrap_or_default().to_owned();
        pods.iter().map(time).collect()
    };
    let before = times(&first);
    served(address, |pods| {
        pods.len() == MEASURED
            && times(pods)
                .iter()
                .zip(&before)
                .all(|(now, then)| now > then)
    })
    .await;
    let growth = resident_kib().saturating_sub(before_kib);
    assert!(growth < GROWTH_MAX_KIB, "{growth} KiB more than before");
    stop.cancel();
    server.await.unwrap().unwrap();
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// The most memory that this process has had so far.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kib.unwrap().trim().parse().unwrap()
}

/// Those of tasks too, which nobody joins.
fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
}

fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap_or_default()
}

/// The metrics of all pods whose clocks can be trusted, once they are as wanted; for a minute at most.
async fn served(server: SocketAddr, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut last = Vec::new();
    for _ in 0..600 {
        if let Some(list) = list(server).await {
            last = list["items"].as_array().cloned().unwrap_or_default();
            // A clock that leaps gives figures, and no right ones.
            last.retain(|pod| !name(pod).starts_with("leaping-"));
            if wanted(&last) {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        wanted(&last),
        "never as wanted, last {}: {last:?}",
        last.len()
    );
    last
}

async fn list(server: SocketAddr) -> Option<Value> {
    let mut config = kube::Config::new(format!("https://{server}").parse().unwrap());
    config.accept_invalid_certs = true;
    config.auth_info.token = Some("good".to_owned().into());
    let client = kube::Client::try_from(config).unwrap();
    let path = "/apis/metrics.k8s.io/v1beta1/pods";
    let request = Request::get(path).body(Vec::new()).unwrap();
    client.request(request).await.ok()
}

/// Starts all kubelets; gives the nodes and their pods, one each.
async fn crowd(files: &Path, stop: &CancellationToken) -> (Vec<Value>, Vec<Value>) {
    let identity =
        |name: &str| Identity::load_or_create(files, name, vec!["127.0.0.1".to_owned()]).unwrap();
    let (known, stranger) = (identity("kubelet"), identity("stranger"));
    let (mut nodes, mut pods) = (Vec::new(), Vec::new());
    for (fault, count) in CROWD {
        for index in 0..count {
            let name = format!("{fault:?}-{index:02}").to_lowercase();
            let identity = if fault == Fault::Stranger {
                &stranger
            } else {
                &known
            };
            let port = start(fault, &name, identity, stop).await;
            nodes.push(node(&name, port));
            pods.push(pod(&name));
        }
    }
    (nodes, pods)
}

async fn start(fault: Fault, name: &str, identity: &Identity, stop: &CancellationToken) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    match fault {
        Fault::Dead => {}
        Fault::Mute | Fault::Babble => {
            tokio::spawn(no_tls(fault, listener));
        }
        _ => {
            let identity = Identity {
                chain: identity.chain.clone(),
                key: identity.key.clone_key(),
            };
            let (name, turns) = (name.to_owned(), Arc::new(AtomicU64::new(0)));
            let handler = move |_: Request<Incoming>| {
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                let name = name.clone();
                async move {
                    if fault == Fault::Slow {
                        tokio::time::sleep(SLOW).await;
                    }
                    let mut response = Response::new(body(fault, &name, turn));
                    if fault == Fault::Cut {
                        let length = http::HeaderValue::from_static("1000000");
                        let headers = response.headers_mut();
                        headers.insert(http::header::CONTENT_LENGTH, length);
                    }
                    response
                }
            };
            let tls = tls(identity).unwrap();
            tokio::spawn(serve(
                listener,
                tls,
                Limits::default(),
                handler,
                stop.clone(),
            ));
        }
    }
    port
}

async fn no_tls(fault: Fault, listener: TcpListener) {
    let mut kept = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        if fault == Fault::Babble {
            let _ = stream
                .write_all(&[0x15, 0x03, 0x01, 0xff, 0xff, 0x42])
                .await;
        }
        kept.push(stream);
    }
}

fn body(fault: Fault, name: &str, turn: u64) -> Body {
    let metrics = metrics(name, fault, turn);
    match fault {
        Fault::Stuck => endless(Bytes::from_static(b"# HELP"), 1),
        Fault::Endless => endless(Bytes::from(vec![b'#'; 256 << 10]), u64::MAX),
        Fault::Garbage => full(vec![0xff, 0xfe, 0x00, 0x80]),
        Fault::Prose => full("it was a dark and stormy night".into()),
        Fault::Cut => {
            let frame = Ok(Frame::data(Bytes::from(metrics)));
            StreamBody::new(futures::stream::iter([frame])).boxed_unsync()
        }
        Fault::Truncated => full(metrics[..metrics.len() - 40].into()),
        _ => full(metrics.into_bytes()),
    }
}

fn full(bytes: Vec<u8>) -> Body {
    Full::from(bytes).boxed_unsync()
}

/// As many pieces, then nothing, and no end either.
fn endless(piece: Bytes, pieces: u64) -> Body {
    let frames = futures::stream::unfold(0, move |sent| {
        let piece = piece.clone();
        async move {
            if sent >= pieces {
                std::future::pending::<()>().await;
            }
            Some((Ok(Frame::data(piece)), sent + 1))
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// A pod that has used a quarter of a core since this test began.
fn metrics(name: &str, fault: Fault, turn: u64) -> String {
    static BEGUN: OnceLock<i64> = OnceLock::new();
    let now = runtime::clock::now().as_millisecond();
    let begun = *BEGUN.get_or_init(|| now);
    // Backwards and forwards by a day, and by more each time.
    let leap = match (fault, turn % 2) {
        (Fault::Leaping, 0) => -86_400_000 * i64::try_from(turn + 1).unwrap(),
        (Fault::Leaping, _) => i64::MAX / 2_000_000,
        _ => 0,
    };
    let at = now.saturating_add(leap);
    let of = format!("{{container=\"app\",namespace=\"crowd\",pod=\"{name}\"}}");
    let micros = 1_000_000 + (now - begun) * 250;
    format!(
        "container_cpu_usage_seconds_total{of} {}.{:06} {at}\n\
         container_memory_working_set_bytes{of} 67108864 {at}\n\
         container_start_time_seconds{of} 1000\n",
        micros / 1_000_000,
        micros % 1_000_000
    )
}

fn node(name: &str, port: u16) -> Value {
    json!({
        "kind": "Node", "apiVersion": "v1", "metadata": {"name": name},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}

fn pod(name: &str) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": name, "namespace": "crowd"},
    })
}

pub(crate) fn kubeconfig_text(api: SocketAddr) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{api}")}}],
        "users": [{"name": "u", "user": {"token": "ours"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    })
    .to_string()
}

async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Everybody is known and may do anything.
fn review(path: &str) -> Value {
    match path {
        "/apis/authentication.k8s.io/v1/tokenreviews" => json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {},
            "status": {"authenticated": true, "user": {"username": "ada"}},
        }),
        "/apis/authorization.k8s.io/v1/subjectaccessreviews" => json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {},
            "status": {"allowed": true},
        }),
        _ => json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
    }
}

/// An API that knows these nodes and pods, and that nothing ever changes. It knows one selector, `zone=a`.
pub(crate) async fn start_api(nodes: Vec<Value>, pods: Vec<Value>) -> SocketAddr {
    let list = |kind: &str, version: &str, items: Vec<Value>| {
        json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items})
            .to_string()
    };
    let near = |node: &&Value| node["metadata"]["labels"]["zone"] == "a";
    let picked = nodes.iter().filter(near).cloned().collect();
    let picked = Arc::new(list("NodeList", "v1", picked));
    let nodes = Arc::new(list("NodeList", "v1", nodes));
    let pods = Arc::new(list("PartialObjectMetadataList", "meta.k8s.io/v1", pods));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let lists = [&nodes, &pods, &picked].map(Arc::clone);
            let service = service_fn(move |request: Request<Incoming>| {
                let [nodes, pods, picked] = lists.clone();
                async move {
                    let query = request.uri().query().unwrap_or_default();
                    if query.contains("watch=true") {
                        std::future::pending::<()>().await;
                    }
                    let body = match request.uri().path() {
                        "/api/v1/nodes" if query.contains("labelSelector=zone%3Da") => {
                            picked.to_string()
                        }
                        "/api/v1/nodes" => nodes.to_string(),
                        "/api/v1/pods" => pods.to_string(),
                        path => review(path).to_string(),
                    };
                    let mut answer = Response::new(Full::<Bytes>::from(body));
                    let json = http::HeaderValue::from_static("application/json");
                    answer
                        .headers_mut()
                        .insert(http::header::CONTENT_TYPE, json);
                    Ok::<_, Infallible>(answer)
                }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving);
        }
    });
    address
}
