//! A lab server alone, for trying things with kubectl: `serve [DATA_DIR|-] [PORT] [KUBECONFIG]`.

use anyhow::Context;
use lab_server::Config;
use runtime::network::LabNetwork;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let mut args = std::env::args().skip(1);
    let data_dir = args.next().filter(|text| text != "-").map(Into::into);
    let port = args
        .next()
        .map_or(Ok(6443), |text| text.parse())
        .context("PORT")?;
    let file = args
        .next()
        .unwrap_or_else(|| "/tmp/evenkeel-serve.kubeconfig".to_owned());
    let network = LabNetwork::new(77).context("block 77")?;
    let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
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
    lab_auth::pki::write_private(file.as_ref(), handle.admin_kubeconfig()?.as_bytes())?;
    tracing::info!(url = handle.url(), kubeconfig = file, "ready");
    tokio::signal::ctrl_c().await?;
    shutdown.cancel();
    handle.stopped().await;
    Ok(())
}
