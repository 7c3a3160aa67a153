//! What was acknowledged is there after a restart.

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use lab_server::{Config, Handle, User};
use runtime::network::LabNetwork;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio_util::sync::CancellationToken;

async fn start(directory: &Path, shutdown: &CancellationToken) -> (Handle, Api<ConfigMap>) {
    let config = Config {
        data_dir: Some(directory.to_owned()),
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        network: LabNetwork::new(99).expect("a block"),
        gates: lab_server::Gates::default(),
    };
    let handle = lab_server::start(config, shutdown.clone())
        .await
        .expect("started");
    let client = testkit::client(&handle.server(), User::new("admin", &["system:masters"]));
    (handle, Api::default_namespaced(client))
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": "b"}})).expect("valid")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_revisions_and_keys_survive() {
    let directory = tempfile::tempdir().expect("a directory");
    let shutdown = CancellationToken::new();
    let (handle, maps) = start(directory.path(), &shutdown).await;
    let writes = (0..50).map(|index| {
        let maps = maps.clone();
        async move {
            maps.create(&PostParams::default(), &config_map(&format!("m{index}")))
                .await
        }
    });
    for written in futures::future::join_all(writes).await {
        written.expect("written");
    }
    maps.delete("m0", &DeleteParams::default())
        .await
        .expect("there");
    let kept = maps.get("m7").await.expect("there");
    let (revision, ca) = (
        handle.server().revision(),
        handle.authority().ca_pem().to_owned(),
    );
    shutdown.cancel();
    handle.stopped().await;
    drop(maps);

    let shutdown = CancellationToken::new();
    let (handle, maps) = start(directory.path(), &shutdown).await;
    assert_eq!(handle.server().revision(), revision);
    assert_eq!(handle.authority().ca_pem(), ca);
    assert_eq!(maps.get("m7").await.expect("kept"), kept);
    assert!(maps.get_opt("m0").await.expect("an answer").is_none());
    assert_eq!(
        maps.list(&Default::default())
            .await
            .expect("a list")
            .items
            .len(),
        49
    );
    // A watch goes on where it was.
    let version = revision.to_string();
    let mut events = Box::pin(
        maps.watch(&WatchParams::default(), &version)
            .await
            .expect("a watch"),
    );
    maps.delete("m7", &DeleteParams::default())
        .await
        .expect("there");
    let event = events.next().await.expect("an event").expect("readable");
    assert!(matches!(event, WatchEvent::Deleted(map) if map.name_any() == "m7"));
    shutdown.cancel();
    handle.stopped().await;
}
