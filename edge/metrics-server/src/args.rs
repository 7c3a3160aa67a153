//! The command line: metrics-server's flags with its defaults, units and complaints.
//!
//! Upstream: cmd/metrics-server/app/options/{options,kubelet_client}.go.

mod inherited;

use inherited::Inherited;
use runtime::auth::AuthArgs;
use runtime::telemetry::LogFormat;

use anyhow::bail;
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
    /// How logs are written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub logging_format: LogFormat,
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
    /// The port to listen on.
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

    /// Refuses what upstream refuses, all at once, in its words.
    pub fn validate(&self) -> anyhow::Result<()> {
        let mut errors = self.kubelet.errors();
        if let Some(resolution) = self.metric_resolution {
            errors.extend(resolution_errors(
                resolution,
                self.kubelet.kubelet_request_timeout,
            ));
        }
        if self.serving.secure_port == 0 {
            errors.push("--secure-port should be between 1 and 65535".to_owned());
        }
        if self.serving.tls_cert_file.is_some() != self.serving.tls_private_key_file.is_some() {
            errors.push("need both --tls-cert-file and --tls-private-key-file".to_owned());
        }
        match errors.as_slice() {
            [] => Ok(()),
            [one] => bail!("{one}"),
            many => bail!("[{}]", many.join(", ")),
        }
    }
}

fn resolution_errors(resolution: Duration, timeout: Duration) -> Option<String> {
    if resolution < Duration::from_seconds(10) {
        return Some(format!(
            "metric-resolution should be a time duration at least 10s, but value {resolution} provided"
        ));
    }
    (resolution.nanos() / 10 * 9 < timeout.nanos()).then(|| {
        format!(
            "metric-resolution should be larger than kubelet-request-timeout, but metric-resolution \
             value {resolution} kubelet-request-timeout value {timeout} provided"
        )
    })
}

impl KubeletArgs {
    fn errors(&self) -> Vec<String> {
        let insecure = self.deprecated_kubelet_completely_insecure;
        let authority = self.kubelet_certificate_authority.is_some();
        let (certificate, key) = (
            self.kubelet_client_certificate.is_some(),
            self.kubelet_client_key.is_some(),
        );
        let rules = [
            (
                authority && self.kubelet_insecure_tls,
                "cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls",
            ),
            (
                certificate != key,
                "need both --kubelet-client-key and --kubelet-client-certificate",
            ),
            (
                authority && insecure,
                "cannot use both --kubelet-certificate-authority and --deprecated-kubelet-completely-insecure",
            ),
            (
                self.kubelet_insecure_tls && insecure,
                "cannot use both --kubelet-insecure-tls and --deprecated-kubelet-completely-insecure",
            ),
            (
                key && insecure,
                "cannot use both --kubelet-client-key and --deprecated-kubelet-completely-insecure",
            ),
            (
                certificate && insecure,
                "cannot use both --kubelet-client-certificate and --deprecated-kubelet-completely-insecure",
            ),
            (
                self.kubelet_request_timeout <= Duration::ZERO,
                "kubelet-request-timeout should be positive",
            ),
        ];
        rules
            .iter()
            .filter(|(broken, _)| *broken)
            .map(|(_, text)| (*text).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests;
