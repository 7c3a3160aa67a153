//! Connections to kubelets: TCP, and TLS as the flags want it.

use super::Trouble;
use crate::args::KubeletArgs;
use anyhow::Context;
use kube::Config;
use kube::client::ConfigExt;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An open connection, with nothing that is only needed while a request is under way.
pub(super) type Wire = Box<dyn Stream>;

/// What an exchange is spoken over: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens connections.
pub(super) struct Connector {
    /// None speaks plain HTTP.
    tls: Option<RwLock<TlsConnector>>,
    args: KubeletArgs,
    config: Config,
    /// What the files held that flags name.
    held: Mutex<Vec<Option<Vec<u8>>>>,
}

impl Connector {
    pub(super) fn new(args: &KubeletArgs, config: &Config) -> anyhow::Result<Self> {
        let secure = !args.deprecated_kubelet_completely_insecure;
        let tls = secure.then(|| tls(args, config)).transpose()?;
        Ok(Self {
            tls: tls.map(RwLock::new),
            held: Mutex::new(held(args)),
            args: args.clone(),
            config: config.clone(),
        })
    }

    /// Takes certificates as their files are now; whether they had changed. Connections that are open stay.
    pub(super) fn refresh(&self) -> anyhow::Result<bool> {
        let Some(current) = &self.tls else {
            return Ok(false);
        };
        let now = held(&self.args);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == now {
            return Ok(false);
        }
        // Files that do not fit together are told once, not again and again.
        *held = now;
        let fresh = tls(&self.args, &self.config)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<Wire, Trouble> {
        let tcp = TcpStream::connect((host, port))
            .await
            .map_err(Trouble::Connect)?;
        tcp.set_nodelay(true).ok();
        let Some(tls) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let tls = tls.read().unwrap_or_else(PoisonError::into_inner).clone();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Trouble::Ours(anyhow::anyhow!("{host} is no host name")))?;
        let stream = tls
            .connect(name, tcp)
            .await
            .map_err(|error| Trouble::tls(error, host))?;
        Ok(Box::new(stream))
    }
}

fn held(args: &KubeletArgs) -> Vec<Option<Vec<u8>>> {
    let files = [
        &args.kubelet_certificate_authority,
        &args.kubelet_client_certificate,
        &args.kubelet_client_key,
    ];
    let held = files.into_iter().flatten();
    held.map(|file| std::fs::read(file).ok()).collect()
}

fn tls(args: &KubeletArgs, config: &Config) -> anyhow::Result<TlsConnector> {
    let mut config = config.clone();
    if let Some(file) = &args.kubelet_certificate_authority {
        let roots = runtime::certs::read_chain(file).context("--kubelet-certificate-authority")?;
        config.root_cert = Some(roots.iter().map(|root| root.to_vec()).collect());
        config.root_cert_file = Some(file.clone());
    }
    config.accept_invalid_certs = args.kubelet_insecure_tls;
    if let (Some(certificate), Some(key)) =
        (&args.kubelet_client_certificate, &args.kubelet_client_key)
    {
        let auth = &mut config.auth_info;
        auth.client_certificate_data = None;
        auth.client_key_data = None;
        auth.client_certificate = Some(certificate.to_string_lossy().into_owned());
        auth.client_key = Some(key.to_string_lossy().into_owned());
    }
    let mut tls = config
        .rustls_client_config()
        .context("cannot set up TLS to kubelets")?;
    // Connections are kept: tickets to open them again would only be stored.
    tls.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(tls)))
}

/// `host:port`, with brackets around IPv6.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests;
