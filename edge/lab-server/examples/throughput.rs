//! How many objects a second: `throughput [DATA_DIR|-] [COUNT] [CLIENTS]`, in process.

use anyhow::Context;
use http::Request;
use http_body_util::{BodyExt, Full};
use lab_server::{Config, User};
use runtime::network::LabNetwork;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let mut args = std::env::args().skip(1);
    let data_dir = args.next().filter(|text| text != "-").map(Into::into);
    let count: usize = args
        .next()
        .map_or(Ok(20_000), |text| text.parse())
        .context("COUNT")?;
    let clients: usize = args
        .next()
        .map_or(Ok(64), |text| text.parse())
        .context("CLIENTS")?;
    let begin = tokio::time::Instant::now();
    let network = LabNetwork::new(78).context("block 78")?;
    let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let shutdown = CancellationToken::new();
    let handle = lab_server::start(
        Config {
            data_dir,
            listen,
            network,
            gates: lab_server::Gates::default(),
        },
        shutdown.clone(),
    )
    .await?;
    tracing::info!(elapsed = ?begin.elapsed(), "ready");
    let begin = tokio::time::Instant::now();
    let tasks = (0..clients).map(|client| {
        let service = handle.server().as_user(User::new("admin", &["system:masters"]));
        tokio::spawn(async move {
            for index in 0..count / clients {
                let body = format!(
                    r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c{client}-{index}"}},"data":{{"key":"{}"}}}}"#,
                    "x".repeat(400)
                );
                let request = Request::post("/api/v1/namespaces/default/configmaps")
                    .header("content-type", "application/json")
                    .body(Full::<bytes::Bytes>::from(body))?;
                let response = service.clone().oneshot(request).await?;
                anyhow::ensure!(response.status() == 201, "status {}", response.status());
                response.into_body().collect().await.map_err(anyhow::Error::from_boxed)?;
            }
            anyhow::Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    tracing::info!(count, clients, rate, "created");
    shutdown.cancel();
    handle.stopped().await;
    Ok(())
}
