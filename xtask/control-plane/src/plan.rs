//! What each part is started with. Nothing is started here.
//!
//! As kubeadm configures a cluster: RBAC and Node authorization, NodeRestriction, the aggregation layer,
//! service accounts, a signer for kubelets' certificates.

use clap::{Args, ValueEnum};
use runtime::network::LabNetwork;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// One program of a control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    KubeScheduler,
}

impl Part {
    /// In the order in which they start.
    pub(crate) const ALL: [Self; 4] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
        }
    }

    /// Whether it asks the API server and answers nobody that matters.
    pub(crate) fn is_client(self) -> bool {
        matches!(self, Self::KubeControllerManager | Self::KubeScheduler)
    }

    /// Its usual port.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Etcd => 2379,
            Self::KubeApiserver => 6443,
            Self::KubeControllerManager => 10257,
            Self::KubeScheduler => 10259,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What people choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Settings {
    /// A controller of kube-controller-manager to leave out
    #[arg(long, value_name = "CONTROLLER")]
    pub(crate) without: Vec<String>,
    /// A flag for kube-apiserver, such as --api-server-flag=--v=4
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) api_server_flag: Vec<String>,
    /// A flag for kube-controller-manager
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) controller_manager_flag: Vec<String>,
    /// A flag for kube-scheduler
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) scheduler_flag: Vec<String>,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) network: LabNetwork,
}

impl Plan {
    pub(crate) fn address(&self, part: Part) -> SocketAddr {
        SocketAddr::new(self.network.control_plane().into(), part.port())
    }

    pub(crate) fn server(&self) -> String {
        format!("https://{}", self.address(Part::KubeApiserver))
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.dir.join("pki")
    }

    /// A component's own kubeconfig; `admin` is for people.
    pub(crate) fn kubeconfig(&self, component: &str) -> PathBuf {
        self.dir.join(format!("{component}.conf"))
    }

    /// A part's arguments, its name first. A flag that was asked for stands instead of ours, since lists would add up.
    pub(crate) fn arguments(&self, part: Part, settings: &Settings) -> Vec<String> {
        let (own, asked): (Vec<String>, &[String]) = match part {
            Part::Etcd => (self.etcd(), &[]),
            Part::KubeApiserver => (self.api_server(), &settings.api_server_flag),
            Part::KubeControllerManager => (
                self.controller_manager(&settings.without),
                &settings.controller_manager_flag,
            ),
            Part::KubeScheduler => (self.scheduler(), &settings.scheduler_flag),
        };
        let is_asked = |flag: &String| asked.iter().any(|asked| name(asked) == name(flag));
        let own = own.into_iter().filter(|flag| !is_asked(flag));
        let part = std::iter::once(part.name().to_owned());
        part.chain(own).chain(asked.iter().cloned()).collect()
    }

    fn etcd(&self) -> Vec<String> {
        let address = self.address(Part::Etcd);
        let peer = SocketAddr::new(address.ip(), PEER_PORT);
        vec![
            flag("data-dir", &text(&self.dir.join("etcd"))),
            flag("listen-client-url", &format!("http://{address}")),
            flag("listen-peer-url", &format!("http://{peer}")),
        ]
    }

    fn api_server(&self) -> Vec<String> {
        let address = self.address(Part::KubeApiserver);
        let mut flags = vec![
            flag(
                "etcd-servers",
                &format!("http://{}", self.address(Part::Etcd)),
            ),
            flag("bind-address", &address.ip().to_string()),
            flag("secure-port", &address.port().to_string()),
            // Endpoints may not hold a loopback address: nobody writes those of the Service `kubernetes`,
            // and what is advertised, an address for documentation, is used by none.
            flag("advertise-address", "192.0.2.1"),
            flag("endpoint-reconciler-type", "none"),
            flag("service-cluster-ip-range", &self.network.service_cidr()),
            flag("authorization-mode", "Node,RBAC"),
            flag("enable-admission-plugins", "NodeRestriction"),
            flag("allow-privileged", "true"),
            flag("enable-aggregator-routing", "false"),
            flag("kubelet-preferred-address-types", "InternalIP,Hostname"),
            flag("requestheader-allowed-names", "front-proxy-client"),
            flag("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
            flag("requestheader-group-headers", "X-Remote-Group"),
            flag("requestheader-username-headers", "X-Remote-User"),
            flag(
                "service-account-issuer",
                "https://kubernetes.default.svc.cluster.local",
            ),
            self.pki_flag("service-account-key-file", "sa.pub"),
            self.pki_flag("service-account-signing-key-file", "sa.key"),
            self.pki_flag("kubelet-certificate-authority", "ca.crt"),
            self.pki_flag("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
            self.pki_flag("kubelet-client-key", "apiserver-kubelet-client.key"),
            self.pki_flag("proxy-client-cert-file", "front-proxy-client.crt"),
            self.pki_flag("proxy-client-key-file", "front-proxy-client.key"),
        ];
        flags.extend(self.served(Part::KubeApiserver));
        flags
    }

    fn controller_manager(&self, without: &[String]) -> Vec<String> {
        let left_out: String = without.iter().map(|name| format!(",-{name}")).collect();
        let mut flags = vec![
            flag("controllers", &format!("*{left_out}")),
            flag("use-service-account-credentials", "true"),
            // It makes the folder where there is none, and not in the machine's own.
            flag(
                "flex-volume-plugin-dir",
                &text(&self.dir.join("flexvolume")),
            ),
            self.pki_flag("service-account-private-key-file", "sa.key"),
            self.pki_flag("root-ca-file", "ca.crt"),
            self.pki_flag("cluster-signing-cert-file", "ca.crt"),
            self.pki_flag("cluster-signing-key-file", "ca.key"),
        ];
        flags.extend(self.client(Part::KubeControllerManager));
        flags
    }

    fn scheduler(&self) -> Vec<String> {
        self.client(Part::KubeScheduler)
    }

    /// What both clients of the API are told. They are alone, so they elect nobody.
    fn client(&self, part: Part) -> Vec<String> {
        let kubeconfig = text(&self.kubeconfig(part.name()));
        let address = self.address(part);
        let mut flags = vec![
            flag("kubeconfig", &kubeconfig),
            flag("authentication-kubeconfig", &kubeconfig),
            flag("authorization-kubeconfig", &kubeconfig),
            flag("bind-address", &address.ip().to_string()),
            flag("secure-port", &address.port().to_string()),
            flag("leader-elect", "false"),
        ];
        flags.extend(self.served(part));
        flags
    }

    /// The certificates of what answers over TLS.
    fn served(&self, part: Part) -> [String; 4] {
        [
            self.pki_flag("client-ca-file", "ca.crt"),
            self.pki_flag("requestheader-client-ca-file", "front-proxy-ca.crt"),
            self.pki_flag("tls-cert-file", &format!("{part}.crt")),
            self.pki_flag("tls-private-key-file", &format!("{part}.key")),
        ]
    }

    fn pki_flag(&self, name: &str, file: &str) -> String {
        flag(name, &text(&self.pki().join(file)))
    }
}

/// Nobody asks there; etcd wants one.
pub(crate) const PEER_PORT: u16 = 2380;

/// What stands before a flag's value.
fn name(flag: &str) -> &str {
    flag.split('=').next().unwrap_or(flag)
}

fn flag(name: &str, value: &str) -> String {
    format!("--{name}={value}")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests;
