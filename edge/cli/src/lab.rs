//! The lab as one thing: an API server, its controllers, the HPA controller and nodes, in one process.

mod compose;
mod home;
mod images;
mod network;

pub(crate) use compose::{Lab, LabConfig, Simulated};
pub(crate) use home::Home;

use crate::args::{Addon, LabArgs};
use crate::demo::manifests;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// `evenkeel lab`: runs until it is told to stop.
pub(crate) async fn run(args: LabArgs, shutdown: CancellationToken) -> Result<bool> {
    let begun = tokio::time::Instant::now();
    let home = Home::open(args.data_dir.clone())?;
    let config = LabConfig {
        secure_port: args.secure_port,
        store: args.data_dir.is_some(),
        nodes: args.nodes,
        simulated: Simulated {
            nodes: args.simulated_nodes,
            pods_per_node: args.pods_per_node,
            containers_per_pod: args.containers_per_pod,
        },
        images: images::load(args.images.as_deref())?,
        hpa: hpa_controller::Config {
            flags: args.hpa,
            ..hpa_controller::Config::default()
        },
        pod_env: vec![(
            "EVENKEEL_METRIC_RESOLUTION".to_owned(),
            args.metric_resolution.clone(),
        )],
        ..LabConfig::in_folder(home.path().to_owned())
    };
    let lab = Lab::start(config, shutdown.clone()).await?;
    let kubeconfig = args
        .kubeconfig
        .clone()
        .unwrap_or_else(|| home.path().join("kubeconfig"));
    lab_auth::pki::write_private(&kubeconfig, &lab.admin_kubeconfig()?)
        .with_context(|| format!("cannot write the kubeconfig {}", kubeconfig.display()))?;
    announce(&lab, &kubeconfig, begun.elapsed());
    for addon in &args.addons {
        install(*addon, &lab).await?;
    }
    shutdown.cancelled().await;
    lab.stopped().await;
    Ok(true)
}

async fn install(addon: Addon, lab: &Lab) -> Result<()> {
    match addon {
        Addon::MetricsServer => manifests::create_metrics_server(&lab.admin_client())
            .await
            .context("cannot install metrics-server"),
    }
}

/// Says where the lab is; whoever started it may have stopped listening, and the lab goes on.
fn announce(lab: &Lab, kubeconfig: &Path, took: std::time::Duration) {
    let path = std::path::absolute(kubeconfig).unwrap_or_else(|_| kubeconfig.to_owned());
    let text = format!(
        "evenkeel lab is ready at https://{} ({} ms)\nkubeconfig: {}\nexport KUBECONFIG={}\n",
        lab.address(),
        took.as_millis(),
        path.display(),
        path.display(),
    );
    let mut output = std::io::stdout().lock();
    if output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .is_err()
    {
        tracing::debug!("nobody reads what the lab says");
    }
}
