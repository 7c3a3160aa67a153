//! The command line of the controller as a program of its own: kube-controller-manager's flags, as far as they concern
//! it.
//!
//! Upstream: cmd/kube-controller-manager/app/options and k8s.io/controller-manager/options (v1.36).

mod inherited;

use crate::config::HpaFlags;
use crate::kinds::Kind;
use anyhow::bail;
use inherited::Inherited;
use runtime::auth::AuthArgs;
use runtime::lease::{self, Terms};
use runtime::telemetry::LogFormat;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use units::Duration;

/// The address to listen on where the flag leaves it open: pods of the lab share one network.
const POD_IP_VARIABLE: &str = "EVENKEEL_POD_IP";

/// Flags of `evenkeel hpa-controller`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How to reach the cluster [default: the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How much is logged, 0 to 10
    #[arg(short, long = "v", default_value_t = 2, value_name = "LEVEL")]
    pub v: u8,
    /// How logs are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub logging_format: LogFormat,
    /// Decide and tell, but change nothing: to be compared with the controller that acts
    #[arg(long)]
    pub shadow: bool,
    /// Look at an autoscaler as soon as its pods have new samples; false waits for the period, as upstream does
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    pub decide_on_samples: bool,
    /// Append each decision as a line of JSON; - is standard output
    #[arg(long, value_name = "FILE")]
    pub decision_log: Option<PathBuf>,
    /// Which kinds of autoscalers to serve: autoscaling/v2, evenkeel.dev/v1, or both
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "autoscaling/v2",
        value_name = "KINDS"
    )]
    pub serve: Vec<Kind>,
    #[command(flatten)]
    pub hpa: HpaFlags,
    #[command(flatten)]
    pub leader: LeaderFlags,
    #[command(flatten)]
    pub serving: ServingFlags,
    #[command(flatten)]
    pub auth: AuthArgs,
    #[command(flatten)]
    pub inherited: Inherited,
}

/// Which of several replicas works.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Leader election flags")]
pub struct LeaderFlags {
    /// Work only while holding a lease, so that several replicas may run
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    pub leader_elect: bool,
    /// How long the others wait when the leader falls silent
    #[arg(long, default_value = "15s", value_name = "DURATION")]
    pub leader_elect_lease_duration: Duration,
    /// How long a leader works that cannot renew its lease
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub leader_elect_renew_deadline: Duration,
    /// The pause between tries to get or to renew the lease
    #[arg(long, default_value = "2s", value_name = "DURATION")]
    pub leader_elect_retry_period: Duration,
    /// The lease's name; upstream's is kube-controller-manager, which its own holds
    #[arg(long, default_value = "evenkeel-hpa-controller", value_name = "NAME")]
    pub leader_elect_resource_name: String,
    /// The lease's namespace
    #[arg(long, default_value = "kube-system", value_name = "NAMESPACE")]
    pub leader_elect_resource_namespace: String,
    /// What is held; there are only leases
    #[arg(long, default_value = "leases", value_parser = ["leases"], hide = true)]
    pub leader_elect_resource_lock: String,
}

/// Where probes and metrics are served.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Secure serving flags")]
pub struct ServingFlags {
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED), value_name = "ADDRESS")]
    pub bind_address: IpAddr,
    /// The port to listen on; 0 serves nothing
    #[arg(long, default_value_t = 10257, value_name = "PORT")]
    pub secure_port: u16,
    /// Where the self-signed certificate is kept when none is given [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub cert_dir: Option<PathBuf>,
    /// The certificate to serve with
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: Option<PathBuf>,
}

impl Args {
    /// Refuses what cannot work.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.leader.validate()?;
        let serving = &self.serving;
        if serving.tls_cert_file.is_some() != serving.tls_private_key_file.is_some() {
            bail!("need both --tls-cert-file and --tls-private-key-file");
        }
        Ok(())
    }
}

impl LeaderFlags {
    /// Upstream: NewLeaderElector and resourcelock.New.
    fn validate(&self) -> anyhow::Result<()> {
        if !self.leader_elect {
            return Ok(());
        }
        let negative = [
            (self.leader_elect_lease_duration, "leaseDuration"),
            (self.leader_elect_renew_deadline, "renewDeadline"),
            (self.leader_elect_retry_period, "retryPeriod"),
        ]
        .into_iter()
        .find(|(duration, _)| *duration < Duration::ZERO);
        if let Some((_, name)) = negative {
            bail!("{name} must be greater than zero");
        }
        for (value, flag) in [
            (&self.leader_elect_resource_name, "name"),
            (&self.leader_elect_resource_namespace, "namespace"),
        ] {
            if value.is_empty() {
                bail!("--leader-elect-resource-{flag} must not be empty");
            }
        }
        self.terms().validate().map_err(anyhow::Error::msg)
    }

    /// What is stood for, under a new name.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            namespace: self.leader_elect_resource_namespace.clone(),
            name: self.leader_elect_resource_name.clone(),
            identity: lease::identity(),
            duration: self.leader_elect_lease_duration.to_std(),
            renew_deadline: self.leader_elect_renew_deadline.to_std(),
            retry_period: self.leader_elect_retry_period.to_std(),
        }
    }
}

impl ServingFlags {
    /// The address to listen on.
    pub(crate) fn address(&self) -> IpAddr {
        let pod = std::env::var(POD_IP_VARIABLE)
            .ok()
            .and_then(|text| text.parse().ok());
        pod.filter(|_| self.bind_address.is_unspecified())
            .unwrap_or(self.bind_address)
    }
}

#[cfg(test)]
mod tests;
