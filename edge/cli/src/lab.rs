//! The lab as one thing: an API server, its controllers, the HPA controller and nodes, in one process.

mod compose;
mod home;
mod images;
mod join;
mod network;
mod nodes;

pub(crate) use compose::{Lab, LabConfig, Simulated};
pub(crate) use home::Home;

use crate::args::{Addon, LabArgs};
use crate::demo::manifests;
use anyhow::{Context, Result};
use join::Joined;
use kube::Client;
use std::io::Write;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// `evenkeel lab`: runs until it is told to stop.
pub(crate) async fn run(args: LabArgs, shutdown: CancellationToken) -> Result<bool> {
    let begun = tokio::time::Instant::now();
    let home = Home::open(args.data_dir.clone())?;
    let config = config(&args, &home)?;
    if let Some(kubeconfig) = &args.control_plane {
        let joined = Joined::start(kubeconfig, config, shutdown.clone()).await?;
        let took = begun.elapsed().as_millis();
        say(&format!(
            "evenkeel lab has joined {} ({took} ms)\n",
            joined.server()
        ));
        install(&args.addons, &joined.admin_client()?).await?;
        shutdown.cancelled().await;
        joined.stopped().await;
        return Ok(true);
    }
    let lab = Lab::start(config, shutdown.clone()).await?;
    let kubeconfig = args
        .kubeconfig
        .clone()
        .unwrap_or_else(|| home.path().join("kubeconfig"));
    lab_auth::pki::write_private(&kubeconfig, &lab.admin_kubeconfig()?)
        .with_context(|| format!("cannot write the kubeconfig {}", kubeconfig.display()))?;
    announce(&lab, &kubeconfig, begun.elapsed());
    install(&args.addons, &lab.admin_client()).await?;
    shutdown.cancelled().await;
    lab.stopped().await;
    Ok(true)
}

fn config(args: &LabArgs, home: &Home) -> Result<LabConfig> {
    Ok(LabConfig {
        secure_port: args.secure_port,
        store: args.data_dir.is_some(),
        nodes: args.nodes,
        simulated: Simulated {
            nodes: args.simulated_nodes,
            pods_per_node: args.pods_per_node,
            pods_per_app: args.pods_per_app,
            containers_per_pod: args.containers_per_pod,
        },
        images: images::load(args.images.as_deref())?,
        hpa: hpa_controller::Config {
            flags: args.hpa.clone(),
            ..hpa_controller::Config::default()
        },
        pod_env: vec![(
            "EVENKEEL_METRIC_RESOLUTION".to_owned(),
            args.metric_resolution.clone(),
        )],
        ..LabConfig::in_folder(home.path().to_owned())
    })
}

async fn install(addons: &[Addon], client: &Client) -> Result<()> {
    for addon in addons {
        match addon {
            Addon::MetricsServer => manifests::create_metrics_server(client)
                .await
                .context("cannot install metrics-server")?,
        }
    }
    Ok(())
}

/// Says where the lab is.
fn announce(lab: &Lab, kubeconfig: &Path, took: std::time::Duration) {
    let path = std::path::absolute(kubeconfig).unwrap_or_else(|_| kubeconfig.to_owned());
    say(&format!(
        "evenkeel lab is ready at https://{} ({} ms)\nkubeconfig: {}\nexport KUBECONFIG={}\n",
        lab.address(),
        took.as_millis(),
        path.display(),
        path.display(),
    ));
}

/// Prints; whoever started the lab may have stopped listening, and the lab goes on.
fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    if output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .is_err()
    {
        tracing::debug!("nobody reads what the lab says");
    }
}
