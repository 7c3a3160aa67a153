//! An API server and one node.

use super::DEADLINE;
use super::wire::Caller;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::PostParams;
use kube::{Api, Client};
use lab_auth::pki::Authority;
use lab_node::{Config, ImageTable};
use lab_server::{Handle, User};
use runtime::network::LabNetwork;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub(crate) struct Cluster {
    client: Client,
    authority: Arc<Authority>,
    kubelet: SocketAddr,
    node: JoinHandle<anyhow::Result<()>>,
    shutdown: CancellationToken,
    _directory: tempfile::TempDir,
}

impl Cluster {
    /// Starts a lab in `block`, which no other test may have.
    pub(crate) async fn start(block: u8) -> Self {
        let network = LabNetwork::new(block).unwrap();
        let shutdown = CancellationToken::new();
        let listen = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let config = lab_server::Config {
            data_dir: None,
            listen,
            network,
            gates: lab_server::Gates::default(),
        };
        let handle = lab_server::start(config, shutdown.clone()).await.unwrap();
        let client = client(&handle, "test-admin", "system:masters");
        let account = json!({"metadata": {"name": "default"}});
        create::<ServiceAccount>(&Api::default_namespaced(client.clone()), account).await;

        let directory = tempfile::tempdir().unwrap();
        let kubelet = free_port(network.node(1)).await;
        let config = node_config(&handle, kubelet, network, directory.path());
        let node = tokio::spawn(lab_node::run(config, shutdown.clone()));
        let cluster = Self {
            client,
            authority: handle.authority(),
            kubelet,
            node,
            shutdown,
            _directory: directory,
        };
        cluster.admin().until("/healthz", |text| text == "ok").await;
        cluster
    }

    /// A client that may do everything.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = timeout(DEADLINE, self.node).await;
        ended.expect("the node ends").unwrap().unwrap();
    }

    /// Creates a pod, and waits until it runs.
    pub(crate) async fn run(&self, pod: &Value) {
        create::<Pod>(&Api::default_namespaced(self.client.clone()), pod.clone()).await;
        self.until_phase(pod["metadata"]["name"].as_str().unwrap(), "Running")
            .await;
    }

    pub(crate) async fn until_phase(&self, name: &str, wanted: &str) {
        let (pods, end) = (
            Api::<Pod>::default_namespaced(self.client.clone()),
            Instant::now() + DEADLINE,
        );
        loop {
            let pod = pods.get(name).await.unwrap();
            let phase = pod
                .status
                .as_ref()
                .and_then(|status| status.phase.as_deref());
            if phase == Some(wanted) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{name} is not {wanted}: {:?}",
                pod.status
            );
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Lets a user get some resources.
    pub(crate) async fn allow(&self, user: &str, resources: &[&str]) {
        let role = json!({
            "metadata": {"name": user},
            "rules": [{"apiGroups": [""], "resources": resources, "verbs": ["get"]}],
        });
        create::<ClusterRole>(&Api::all(self.client.clone()), role).await;
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        create::<ClusterRoleBinding>(&Api::all(self.client.clone()), binding).await;
    }

    pub(crate) fn nobody(&self) -> Caller {
        Caller::new(self.kubelet, self.authority.ca_pem(), None)
    }

    pub(crate) fn user(&self, name: &str) -> Caller {
        self.caller(name, &[])
    }

    pub(crate) fn admin(&self) -> Caller {
        self.caller("admin", &["system:masters"])
    }

    fn caller(&self, name: &str, groups: &[&str]) -> Caller {
        let certificate = self
            .authority
            .client_certificate(runtime::clock::now(), name, groups);
        Caller::new(
            self.kubelet,
            self.authority.ca_pem(),
            Some(&certificate.unwrap()),
        )
    }
}

fn client(handle: &Handle, name: &str, group: &str) -> Client {
    testkit::client(
        &handle.server(),
        User::new(name, &[group, "system:authenticated"]),
    )
}

async fn create<K>(api: &Api<K>, object: Value)
where
    K: Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize,
{
    let object: K = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

async fn free_port(ip: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((ip, 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

fn node_config(
    handle: &Handle,
    kubelet: SocketAddr,
    network: LabNetwork,
    directory: &Path,
) -> Config {
    let (authority, name) = (handle.authority(), "system:node:node-1");
    let certificate = authority
        .serving_certificate(runtime::clock::now(), name, &["node-1"], &[kubelet.ip()])
        .unwrap();
    Config {
        name: "node-1".to_owned(),
        number: 1,
        network,
        client: client(handle, name, "system:nodes"),
        proxy_client: client(handle, "system:kube-proxy", "system:authenticated"),
        api_server: handle.address(),
        ca_pem: authority.ca_pem().to_owned(),
        serving_cert_pem: certificate.certificate_pem,
        serving_key_pem: certificate.key_pem,
        client_ca_pem: authority.ca_pem().to_owned(),
        kubelet_port: kubelet.port(),
        data_dir: directory.to_owned(),
        images: ImageTable::default(),
        executable: env!("CARGO_BIN_EXE_evenkeel-pod-init").into(),
        extra_env: BTreeMap::new(),
    }
}
