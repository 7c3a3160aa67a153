//! A client of the Kubernetes API: from a kubeconfig, or from the pod that we run in.

mod observed;

pub use observed::{Exchange, Observer};

use anyhow::{Context, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where Kubernetes mounts a pod's service account.
const SERVICE_ACCOUNT_DIR: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Overrides [`SERVICE_ACCOUNT_DIR`]: pods of the lab are processes that share one file system.
pub const SERVICE_ACCOUNT_DIR_VARIABLE: &str = "EVENKEEL_SERVICE_ACCOUNT_DIR";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The directory with this pod's `token`, `ca.crt` and `namespace`.
pub fn service_account_dir() -> PathBuf {
    std::env::var_os(SERVICE_ACCOUNT_DIR_VARIABLE)
        .map_or_else(|| PathBuf::from(SERVICE_ACCOUNT_DIR), PathBuf::from)
}

/// How to reach the API: the kubeconfig file if one is named, else the pod's own service account.
pub async fn config(kubeconfig: Option<&Path>) -> anyhow::Result<Config> {
    let mut config = match kubeconfig {
        Some(file) => from_file(file).await?,
        None => in_cluster()?,
    };
    limit(&mut config);
    Ok(config)
}

/// A client made from [`config`].
pub async fn connect(kubeconfig: Option<&Path>) -> anyhow::Result<Client> {
    Client::try_from(config(kubeconfig).await?).context("cannot set up the Kubernetes client")
}

/// How people reach the API: as kubectl would, by `--kubeconfig`, `KUBECONFIG` or `~/.kube/config`; in a pod
/// without any of these, by its service account.
pub async fn config_for_people(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> anyhow::Result<Config> {
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let found = match kubeconfig {
        Some(file) => Kubeconfig::read_from(file)
            .with_context(|| format!("cannot read the kubeconfig {}", file.display()))?,
        None => match Kubeconfig::read() {
            Ok(found) => found,
            Err(_) if context.is_none() && service_account_dir().join("token").is_file() => {
                return config(None).await;
            }
            Err(error) => {
                let what = "no cluster is named: pass --kubeconfig or set KUBECONFIG";
                return Err(error).context(what);
            }
        },
    };
    let mut config = Config::from_custom_kubeconfig(found, &options)
        .await
        .context("cannot use the kubeconfig")?;
    limit(&mut config);
    Ok(config)
}

/// Waits have limits, and an error is an error at once: whoever asks has a period, a back-off, and a text to show.
fn limit(config: &mut Config) {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.write_timeout = Some(WRITE_TIMEOUT);
    config.default_retry = false;
}

async fn from_file(file: &Path) -> anyhow::Result<Config> {
    let parsed = Kubeconfig::read_from(file)
        .with_context(|| format!("cannot read the kubeconfig {}", file.display()))?;
    Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default())
        .await
        .with_context(|| format!("cannot use the kubeconfig {}", file.display()))
}

fn in_cluster() -> anyhow::Result<Config> {
    let dir = service_account_dir();
    let (Ok(host), Ok(port)) = (
        std::env::var("KUBERNETES_SERVICE_HOST"),
        std::env::var("KUBERNETES_SERVICE_PORT"),
    ) else {
        bail!(
            "not in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): pass --kubeconfig"
        );
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let url = format!("https://{host}:{port}").parse().with_context(|| {
        format!("KUBERNETES_SERVICE_HOST={host} and KUBERNETES_SERVICE_PORT={port} make no address")
    })?;
    let token = dir.join("token");
    if !token.is_file() {
        bail!(
            "no service account token at {}: pass --kubeconfig, or let the pod mount its token",
            token.display()
        );
    }
    let mut config = Config::new(url);
    config.root_cert_file = Some(dir.join("ca.crt"));
    config.root_cert = Some(
        crate::certs::read_chain(&dir.join("ca.crt"))?
            .iter()
            .map(|c| c.to_vec())
            .collect(),
    );
    config.auth_info.token_file = Some(token.to_string_lossy().into_owned());
    if let Ok(namespace) = std::fs::read_to_string(dir.join("namespace")) {
        namespace.trim().clone_into(&mut config.default_namespace);
    }
    Ok(config)
}
