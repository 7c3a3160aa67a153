//! A lab in memory: server, controllers, nodes whose pods run at once.

use crate::kubelet;
use anyhow::Context;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use k8s_openapi::{Metadata, NamespaceResourceScope};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use lab_controllers::Config;
use lab_server::{Server, User};
use runtime::network::LabNetwork;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Lab {
    pub(crate) client: Client,
    server: Server,
    _stop: DropGuard,
}

fn client(server: &Server, user: &str) -> Client {
    let user = match user.strip_prefix("system:serviceaccount:kube-system:") {
        Some(name) => User::service_account("kube-system", name, ""),
        None if user == "admin" => User::new(user, &["system:masters"]),
        None => User::new(user, &[]),
    };
    Client::new(server.as_user(user), "default")
}

impl Lab {
    /// A lab with one node that has room for ten cpus.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let lab = Self::without_nodes().await?;
        lab.add_node("node-1", "10").await?;
        Ok(lab)
    }

    pub(crate) async fn without_nodes() -> anyhow::Result<Self> {
        // `RUST_LOG=debug` shows what the controllers say.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let stop = CancellationToken::new();
        let network = LabNetwork::new(99).context("a block that labs have")?;
        let server = lab_server::in_memory(network, stop.clone()).await?;
        let config = Config {
            network,
            root_ca: "the certificate".into(),
        };
        let (controllers, token) = (server.clone(), stop.clone());
        tokio::spawn(async move {
            lab_controllers::run(|user| client(&controllers, user), config, token).await;
        });
        let admin = client(&server, "admin");
        tokio::spawn(kubelet::run(admin.clone(), stop.clone()));
        Ok(Self {
            client: admin,
            server,
            _stop: stop.drop_guard(),
        })
    }

    pub(crate) async fn add_node(&self, name: &str, cpu: &str) -> anyhow::Result<()> {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {
                "allocatable": {"cpu": cpu, "memory": "16Gi", "pods": "110"},
                "capacity": {"cpu": cpu, "memory": "16Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        });
        let node: Node = serde_json::from_value(node)?;
        let api: Api<Node> = Api::all(self.client.clone());
        api.create(&PostParams::default(), &node).await?;
        api.patch_status(
            name,
            &PatchParams::default(),
            &Patch::Merge(json!({"status": node.status})),
        )
        .await?;
        Ok(())
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    /// Creates an object in `default` from JSON.
    pub(crate) async fn create<K>(&self, object: Value) -> anyhow::Result<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Metadata<Ty = ObjectMeta>
            + Clone
            + Debug
            + DeserializeOwned
            + serde::Serialize,
    {
        let object: K = serde_json::from_value(object)?;
        Ok(self
            .api::<K>()
            .create(&PostParams::default(), &object)
            .await?)
    }

    pub(crate) async fn merge<K>(&self, name: &str, patch: Value) -> anyhow::Result<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        Ok(self
            .api::<K>()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?)
    }

    pub(crate) async fn delete<K>(&self, name: &str) -> anyhow::Result<()>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        self.api::<K>()
            .delete(name, &DeleteParams::background())
            .await?;
        Ok(())
    }

    /// All objects of a kind in `default`.
    pub(crate) async fn list<K>(&self) -> anyhow::Result<Vec<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        Ok(self.api::<K>().list(&ListParams::default()).await?.items)
    }

    /// Names of pods that are not being deleted.
    pub(crate) async fn pods(&self) -> anyhow::Result<Vec<Pod>> {
        let mut pods = self.list::<Pod>().await?;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        Ok(pods)
    }

    /// `reason message` of the events about an object, in order of name.
    pub(crate) async fn events(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let events = self.list::<Event>().await?;
        let about = events
            .iter()
            .filter(|event| event.involved_object.name.as_deref() == Some(name));
        let text = |event: &Event| {
            let reason = event.reason.clone().unwrap_or_default();
            format!("{reason} {}", event.message.clone().unwrap_or_default())
        };
        Ok(about.map(text).collect())
    }

    /// Waits until nothing has been written for half a second.
    pub(crate) async fn quiet(&self) -> anyhow::Result<()> {
        self.eventually("nobody writes any more", || async {
            let before = self.server.revision();
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok((self.server.revision() == before).then_some(()))
        })
        .await
    }

    /// Waits until `condition` gives something; says what was waited for if it does not.
    pub(crate) async fn eventually<T, F>(
        &self,
        what: &str,
        mut condition: impl FnMut() -> F,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = anyhow::Result<Option<T>>>,
    {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = condition().await? {
                return Ok(found);
            }
            anyhow::ensure!(Instant::now() < deadline, "waited in vain: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
