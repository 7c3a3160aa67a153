//! A control plane with simulated nodes, and both metrics servers on it with the same flags, rights and kubelets.

use super::super::plane::ControlPlane;
use super::ask::{ask, probe};
use super::table::Request;
use crate::lab::{Kubectl, Lab, eventually};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use runtime::certs::{AnyServer, parse_chain, provider};
use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";
const FLAGS: [&str; 3] = [
    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
    "--kubelet-use-node-status-port",
    "--metric-resolution=15s",
];

const VIEWER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: viewer, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer}
rules: [{apiGroups: [metrics.k8s.io], resources: [nodes, pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer}
subjects: [{kind: ServiceAccount, name: viewer, namespace: default}]
"#;

/// One of the two.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Server {
    fn start(name: &'static str, mut command: Command, folder: &Path, kubeconfig: &Path) -> Self {
        // Nobody else uses this address: between its choice and its use no other takes the port.
        let host = if name == "ours" {
            "127.0.77.251"
        } else {
            "127.0.77.252"
        };
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let log = folder.join(format!("{name}.log"));
        for flag in [
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ] {
            command.arg(format!("--{flag}={}", kubeconfig.display()));
        }
        let child = command
            .args(FLAGS)
            .arg(format!("--bind-address={}", address.ip()))
            .arg(format!("--secure-port={}", address.port()))
            .arg(format!("--cert-dir={}", folder.join(name).display()))
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            name,
            address,
            child,
            log,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Both, and who asks them.
pub(super) struct Scene {
    upstream: Server,
    ours: Server,
    pub(super) runtime: Runtime,
    /// Shows an administrator's certificate.
    pub(super) admin: TlsConnector,
    /// Shows none.
    pub(super) nobody: TlsConnector,
    /// The token of one who may see metrics only.
    pub(super) viewer: String,
    names: [(&'static str, String); 3],
    lab: Lab,
}

impl Scene {
    pub(super) fn new(plane: &ControlPlane, program: &Path) -> Self {
        let nodes = ["--nodes=0", "--simulated-nodes=2", "--pods-per-node=3"];
        let lab = Lab::join(&plane.kubeconfig(), &nodes);
        let kubectl = lab.kubectl(program);
        let kubeconfig = rights(&kubectl, lab.folder.path());
        kubectl.apply(VIEWER);
        let viewer = kubectl.ok(&["create", "token", "viewer"]);
        let folder = lab.folder.path();
        let mut upstream = Command::new(binary(plane));
        upstream.arg("metrics-server");
        let mut ours = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        ours.arg("metrics-server");
        let scene = Self {
            upstream: Server::start("upstream", upstream, folder, &kubeconfig),
            ours: Server::start("ours", ours, folder, &kubeconfig),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            admin: connector(Some(&plane.kubeconfig())),
            nobody: connector(None),
            viewer: viewer.trim().to_owned(),
            names: names(&kubectl),
            lab,
        };
        scene.wait();
        scene
    }

    /// The same for both, upstream's first.
    pub(super) fn both<T>(&self, of: impl Fn(&Self, &Server) -> T) -> [T; 2] {
        [&self.upstream, &self.ours].map(|server| of(self, server))
    }

    /// A line of the table with the names that are used here.
    pub(super) fn named(&self, line: &str) -> String {
        let replaced = |line: String, (name, value): &(&str, String)| line.replace(name, value);
        self.names.iter().fold(line.to_owned(), replaced)
    }

    pub(super) fn end(self) {
        let Self { lab, .. } = self;
        lab.end();
    }

    /// Until both serve what all nodes and pods use.
    fn wait(&self) {
        self.both(|scene, server| {
            let items = |path: &str| {
                let answer = ask(scene, server, &Request::of(path), None);
                let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                list["items"].as_array().map_or(0, Vec::len)
            };
            let all = || items(NODES) == 2 && items(PODS) == 6;
            let ready = || probe(scene, server, "/readyz") == Some(200) && all();
            let log = || fs::read_to_string(&server.log).unwrap_or_default();
            assert!(eventually(ready), "{} is not ready: {}", server.name, log());
        });
    }
}

/// The shipped rights, and a kubeconfig of who has them.
fn rights(kubectl: &Kubectl, folder: &Path) -> PathBuf {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/metrics-server");
    let manifests = fs::read_to_string(manifests.join("components.yaml")).unwrap();
    let others = ["kind: Deployment", "kind: Service\n", "kind: APIService"];
    let right = |object: &&str| !others.iter().any(|other| object.contains(other));
    let rights: Vec<&str> = manifests.split("---\n").filter(right).collect();
    kubectl.apply(&rights.join("---\n"));
    let token = kubectl.ok(&["create", "token", "metrics-server", "-n", "kube-system"]);
    kubectl.with_token(token.trim());
    folder.join("kubeconfig-with-token")
}

/// A node and a pod of its that run.
fn names(kubectl: &Kubectl) -> [(&'static str, String); 3] {
    let running = ["get", "pods", "-A", "--no-headers", "-l", "app"];
    kubectl.until(&running, |out| out.matches(" Running ").count() == 6);
    let first = "jsonpath={.items[0].metadata.namespace} {.items[0].metadata.name} {.items[0].spec.nodeName}";
    let first = kubectl.ok(&["get", "pods", "-A", "-l", "app", "-o", first]);
    let words: Vec<&str> = first.split_whitespace().collect();
    assert_eq!(words.len(), 3, "no pod, but {first:?}");
    [
        ("{namespace}", words[0]),
        ("{pod}", words[1]),
        ("{node}", words[2]),
    ]
    .map(|(name, value)| (name, value.to_owned()))
}

/// Upstream's programs, as the control plane found them.
fn binary(plane: &ControlPlane) -> PathBuf {
    let state = plane.kubeconfig().with_file_name("control-plane.json");
    let state: Value = serde_json::from_slice(&fs::read(state).unwrap()).unwrap();
    PathBuf::from(state["binary"].as_str().unwrap())
}

/// With the certificate of a kubeconfig, or with none. Both servers sign their own certificates.
fn connector(kubeconfig: Option<&Path>) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer::new(provider())));
    let config = match kubeconfig {
        None => config.with_no_client_auth(),
        Some(file) => {
            let text = fs::read_to_string(file).unwrap();
            let kubeconfig: Value = serde_saphyr::from_str(&text).unwrap();
            let user = &kubeconfig["users"][0]["user"];
            let pem = |name: &str| STANDARD.decode(user[name].as_str().unwrap()).unwrap();
            let chain = parse_chain(&pem("client-certificate-data")).unwrap();
            let key = PrivateKeyDer::from_pem_slice(&pem("client-key-data")).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}
