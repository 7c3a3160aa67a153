//! The command line: metrics-server's flags with its defaults, units and complaints.
//!
//! Upstream: cmd/metrics-server/app/options/{options,kubelet_client}.go.

mod generic;
mod inherited;
mod validation;

pub(crate) use generic::GenericArgs;

use anyhow::bail;
use inherited::Inherited;
use runtime::auth::AuthArgs;
use runtime::serve::TlsSettings;
use runtime::telemetry::LogFormat;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use units::Duration;

/// Sets the resolution where the flag does not: the lab scrapes more often than upstream's flag allows.
const RESOLUTION_VARIABLE: &str = "EVENKEEL_METRIC_RESOLUTION";
/// The address to listen on where the flag leaves it open: pods of the lab share one network.
const POD_IP_VARIABLE: &str = "EVENKEEL_POD_IP";
const RESOLUTION: Duration = Duration::from_seconds(60);

/// Flags of `evenkeel metrics-server`.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Metrics server flags")]
pub struct Args {
    /// The kubeconfig for the Kubernetes API and the kubelets; in-cluster configuration without it.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How often to scrape, at least 10s [default: 1m0s, or EVENKEEL_METRIC_RESOLUTION].
    #[arg(long, value_name = "DURATION")]
    pub metric_resolution: Option<Duration>,
    /// Scrapes that a node may miss before what is known of it is forgotten; 0 forgets at once, as
    /// upstream does.
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub keep_missed_scrapes: u32,
    /// Serve a pod without those of its containers whose counters went back, as upstream does: who adds
    /// up the others then sees less than the pod uses
    #[arg(long)]
    pub serve_partial_pods: bool,
    /// Scrape three times as often until there is something to serve; upstream does not
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    pub quick_start: bool,
    /// Let pods' metrics be watched, so that who acts on them need not ask again and again; upstream does not
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    pub serve_watch: bool,
    #[command(flatten)]
    pub kubelet: KubeletArgs,
    #[command(flatten)]
    pub serving: ServingArgs,
    #[command(flatten)]
    pub auth: AuthArgs,
    /// Print the version and end.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub version: bool,
    /// Log verbosity, as klog counts it.
    #[arg(short, long = "v", default_value_t = 0, value_name = "LEVEL")]
    pub v: u8,
    /// How logs are written: text or json.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub logging_format: String,
    #[command(flatten)]
    pub generic: GenericArgs,
    #[command(flatten)]
    pub inherited: Inherited,
}

/// How to reach kubelets.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Kubelet client flags")]
pub struct KubeletArgs {
    /// The kubelets' port.
    #[arg(long, default_value_t = 10250, value_name = "PORT")]
    pub kubelet_port: u16,
    /// Use the port in the node's status instead of --kubelet-port.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub kubelet_use_node_status_port: bool,
    /// Kinds of node addresses, most wanted first.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP",
        value_name = "TYPES"
    )]
    pub kubelet_preferred_address_types: Vec<String>,
    /// How long one scrape may take.
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub kubelet_request_timeout: Duration,
    /// Do not verify the kubelets' certificates. For testing only.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub kubelet_insecure_tls: bool,
    /// The authority that signs the kubelets' certificates.
    #[arg(long, value_name = "FILE")]
    pub kubelet_certificate_authority: Option<PathBuf>,
    /// A client certificate to show to kubelets.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_certificate: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_key: Option<PathBuf>,
    /// Speak plain HTTP, without authentication, to kubelets. Deprecated upstream.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set, hide = true)]
    pub deprecated_kubelet_completely_insecure: bool,
    /// Scrape and serve only nodes with these labels.
    #[arg(short = 'l', long, default_value = "", value_name = "SELECTOR")]
    pub node_selector: String,
}

/// Where and with which certificate to serve.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Secure serving flags")]
pub struct ServingArgs {
    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED), value_name = "ADDRESS")]
    pub bind_address: IpAddr,
    /// The port to listen on; 0 does not serve.
    #[arg(long, default_value_t = 443, value_name = "PORT")]
    pub secure_port: u16,
    /// Where the self-signed certificate is kept when none is given.
    #[arg(
        long,
        default_value = "apiserver.local.config/certificates",
        value_name = "DIR"
    )]
    pub cert_dir: PathBuf,
    /// The certificate to serve with.
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: Option<PathBuf>,
    /// The least version of TLS: VersionTLS12 or VersionTLS13.
    #[arg(long, default_value = "", value_name = "VERSION")]
    pub tls_min_version: String,
    /// The suites of TLS 1.2 that may be used, by Go's names; all that are safe without it.
    #[arg(long, value_delimiter = ',', value_name = "SUITES")]
    pub tls_cipher_suites: Vec<String>,
    /// Speak HTTP/1.1 only.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub disable_http2_serving: bool,
    /// Requests at a time in one HTTP/2 connection; 0 for the default.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub http2_max_streams_per_connection: u32,
}

impl Args {
    /// How often to scrape: the flag, else the environment, else upstream's default.
    pub fn resolution(&self) -> anyhow::Result<Duration> {
        if let Some(resolution) = self.metric_resolution {
            return Ok(resolution);
        }
        let Ok(text) = std::env::var(RESOLUTION_VARIABLE) else {
            return Ok(RESOLUTION);
        };
        match text.parse::<Duration>() {
            Ok(resolution) if resolution > Duration::ZERO => Ok(resolution),
            Ok(_) => bail!("{RESOLUTION_VARIABLE}={text} should be positive"),
            Err(error) => bail!("{RESOLUTION_VARIABLE}={text} cannot be used: {error}"),
        }
    }

    /// The address to listen on.
    pub fn address(&self) -> IpAddr {
        let flag = self.serving.bind_address;
        let pod = std::env::var(POD_IP_VARIABLE)
            .ok()
            .and_then(|text| text.parse().ok());
        pod.filter(|_| flag.is_unspecified()).unwrap_or(flag)
    }

    /// How logs are written.
    pub fn log_format(&self) -> LogFormat {
        match self.logging_format.as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        }
    }
}

impl ServingArgs {
    /// How TLS is spoken.
    pub fn settings(&self) -> anyhow::Result<TlsSettings> {
        TlsSettings::default()
            .with_http2(!self.disable_http2_serving)
            .with_min_version(&self.tls_min_version)?
            .with_suites(&self.tls_cipher_suites)
    }
}

#[cfg(test)]
mod tests;
