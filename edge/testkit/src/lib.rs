//! A lab in memory, with clients wired to it, for tests.

use anyhow::Context;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::PostParams;
use lab_server::{Gates, Server, User};
use runtime::network::LabNetwork;
use tokio_util::sync::CancellationToken;

/// A lab server in memory, and a client that may do everything.
#[derive(Clone)]
pub struct Lab {
    /// The server.
    pub server: Server,
    /// A client of the group `system:masters`.
    pub client: Client,
    /// Ends the server's watches.
    pub shutdown: CancellationToken,
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Lab {
    /// A client of this lab for another user; RBAC says what they may do.
    pub fn client_for(&self, user: User) -> Client {
        client(&self.server, user)
    }
}

/// A new lab with nothing in it but what every API server makes for itself.
pub async fn lab() -> anyhow::Result<Lab> {
    lab_with(Gates::default()).await
}

/// The same with features that are off or on.
pub async fn lab_with(gates: Gates) -> anyhow::Result<Lab> {
    let network = LabNetwork::new(*LabNetwork::BLOCKS.start()).context("the first block")?;
    let shutdown = CancellationToken::new();
    let server = lab_server::in_memory_with(network, gates, shutdown.clone()).await?;
    let client = client(&server, User::new("test-admin", &["system:masters"]));
    // Pods need it; in a whole lab the controllers make it.
    let account = serde_json::from_value(serde_json::json!({"metadata": {"name": "default"}}))?;
    let accounts = kube::Api::<ServiceAccount>::namespaced(client.clone(), "default");
    accounts.create(&PostParams::default(), &account).await?;
    Ok(Lab {
        server,
        client,
        shutdown,
    })
}

/// A client of a server for one user, without a wire between them.
pub fn client(server: &Server, user: User) -> Client {
    Client::new(server.as_user(user), "default")
}
