//! What can be typed. What it means is in [`crate::commands`].

use clap::{Args, Parser, Subcommand, ValueEnum};
use hpa_controller::HpaFlags;
use std::path::PathBuf;

/// Keeps Kubernetes workloads on an even keel.
///
/// Measures what pods use, decides how many there should be, and can say why.
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a workload scale 2 → 3 → 5 → 3 → 2 under real load, in a lab of its own
    Demo(DemoArgs),
    /// Run a Kubernetes API, controllers and nodes on this machine, for stock kubectl
    Lab(Box<LabArgs>),
    /// Serve metrics.k8s.io from what kubelets measure, in metrics-server's place
    MetricsServer(Box<metrics_server::Args>),
    /// Run the HorizontalPodAutoscaler controller against a cluster
    HpaController(Box<hpa_controller::Args>),
    /// Say what an autoscaler decides and why, from a file or from a cluster
    Explain(Box<ExplainArgs>),
    /// Move an autoscaler from autoscaling/v2 to evenkeel.dev/v1, for clusters whose own controller stays on
    Adopt(Box<HandoverArgs>),
    /// Move an autoscaler back from evenkeel.dev/v1 to autoscaling/v2
    Release(Box<HandoverArgs>),
    /// The web application of the exercise: each request costs a set amount of CPU
    SampleApp(sample_app::app::AppArgs),
    /// The batch job of the exercise: it works for some seconds and ends
    SampleJob(sample_app::job::JobArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version {
        /// As what
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Prepares and becomes a container's program; nodes of the lab call it
    #[command(hide = true)]
    PodInit {
        /// The file that says what to prepare and to become
        #[arg(long)]
        spec: PathBuf,
    },
    /// Measures the lab; `cargo xtask bench lab` calls it
    #[command(hide = true)]
    BenchLab(BenchArgs),
    /// Compares the HPA controller with upstream's; `cargo xtask agreement` calls it
    #[command(hide = true)]
    Agreement(AgreementArgs),
    /// Measures the HPA controller; `cargo xtask bench hpa` calls it
    #[command(hide = true)]
    BenchHpa(BenchHpaArgs),
    /// Measures metrics-server; `cargo xtask bench metrics-server` calls it
    #[command(hide = true)]
    BenchMetricsServer(BenchMetricsServerArgs),
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    #[default]
    Text,
    Json,
    Yaml,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Use upstream's periods and windows: sync 15s, scale-down window 5m (takes about 15 minutes)
    #[arg(long)]
    pub(crate) faithful: bool,
    /// Where to write the HTML report [default: ./evenkeel-demo.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// Join the lab's nodes to the control plane of this kubeconfig, an administrator's, instead of running one
    #[arg(
        long,
        value_name = "KUBECONFIG",
        conflicts_with_all = ["secure_port", "data_dir", "kubeconfig", "HpaFlags"]
    )]
    pub(crate) control_plane: Option<PathBuf>,
    /// The port on 127.0.0.1 that the API answers on; 0 takes a free one
    #[arg(long, default_value_t = 6443, value_name = "PORT")]
    pub(crate) secure_port: u16,
    /// Keep everything here, so that it is there after a restart [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where to write the kubeconfig for kubectl [default: in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// How many nodes, each with its own name, address and kubelet port
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=128))]
    pub(crate) nodes: u8,
    /// Nodes whose pods are no processes, to see how programs bear many (see docs/lab.md)
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=12288))]
    pub(crate) simulated_nodes: u16,
    /// Pods that each simulated node begins with
    #[arg(long, default_value_t = 30, value_name = "N", requires = "simulated_nodes", value_parser = clap::value_parser!(u16).range(0..=250))]
    pub(crate) pods_per_node: u16,
    /// How many of these pods in a row are of the same app, which their label `app` names
    #[arg(long, default_value_t = 15, value_name = "N", requires = "simulated_nodes", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) pods_per_app: u16,
    /// Containers in each of these pods
    #[arg(long, default_value_t = 2, value_name = "N", requires = "simulated_nodes", value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) containers_per_pod: u16,
    /// What to install at the start
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ADDON")]
    pub(crate) addons: Vec<Addon>,
    /// Which programs images are, besides those that the lab knows (a YAML file; see docs/lab.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<PathBuf>,
    /// How often a metrics-server in the lab scrapes when its own flags do not say
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) metric_resolution: String,
    /// How much is logged, 0 to 10 [default: only what goes wrong]
    #[arg(short, long, value_name = "LEVEL")]
    pub(crate) v: Option<u8>,
    #[command(flatten)]
    pub(crate) hpa: HpaFlags,
}

/// What a lab can come with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Addon {
    /// metrics-server, as examples/eks-hpa/components.yaml has it
    MetricsServer,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "evenkeel explain -f FILE... [OPTIONS]\n       evenkeel explain hpa/NAME [-n NAMESPACE] [OPTIONS]",
    after_help = "See docs/explain.md for the snapshot's format and all keys of --what-if."
)]
pub(crate) struct ExplainArgs {
    /// The autoscaler to look at in the cluster
    #[arg(
        value_name = "hpa/NAME",
        required_unless_present = "filename",
        num_args = 1..=2,
        conflicts_with_all = ["filename", "hpa"]
    )]
    pub(crate) object: Vec<String>,
    /// A snapshot: objects as kubectl prints them (YAML or JSON); - reads standard input
    #[arg(short, long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) filename: Vec<String>,
    /// Which autoscaler of the snapshot, if it holds several
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) hpa: Option<String>,
    /// As what to print the answer
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Answer for a changed specification too: maxReplicas=10,target.cpu=70
    #[arg(long, value_name = "KEY=VALUE,…", action = clap::ArgAction::Append)]
    pub(crate) what_if: Vec<String>,
    /// The autoscaler's namespace in the cluster [default: the kubeconfig's]
    #[arg(short, long, conflicts_with = "filename")]
    pub(crate) namespace: Option<String>,
    /// How to reach the cluster [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_name = "FILE", conflicts_with = "filename")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig [default: its current one]
    #[arg(long, conflicts_with = "filename")]
    pub(crate) context: Option<String>,
    /// Write all that the decision was made from to a file, to explain it again elsewhere
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "See docs/own-kind.md.")]
pub(crate) struct HandoverArgs {
    /// The autoscaler
    #[arg(value_name = "hpa/NAME", required = true, num_args = 1..=2)]
    pub(crate) object: Vec<String>,
    /// Its namespace [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Let the server check what would be created, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for the controller
    #[arg(long, default_value = "30s", value_name = "DURATION")]
    pub(crate) timeout: units::Duration,
    /// As what to print the result
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// How to reach the cluster [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig [default: its current one]
    #[arg(long)]
    pub(crate) context: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BenchMetricsServerArgs {
    /// Simulated nodes to scrape
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=12288))]
    pub(crate) nodes: u16,
    /// Pods on each
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) pods_per_node: u16,
    /// Containers in each pod
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) containers_per_pod: u16,
    /// Scrape cycles of 15 s to measure
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=240))]
    pub(crate) cycles: u16,
    /// Upstream's metrics-server, to run after ours on the same nodes; words after the path are its first arguments
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) vs: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AgreementArgs {
    /// The folder of a real control plane without upstream's HPA controller
    #[arg(long, value_name = "DIR")]
    pub(crate) control_plane: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BenchHpaArgs {
    /// The folder of a real control plane: `cargo xtask control-plane up --dir DIR`
    #[arg(long, value_name = "DIR")]
    pub(crate) control_plane: PathBuf,
    /// Autoscalers, each with a Deployment of its own
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) hpas: u32,
    /// Pods of each
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) pods: u32,
    /// Minutes to measure
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) minutes: u32,
    /// The controllers' sync period
    #[arg(long, default_value = "15s", value_name = "DURATION")]
    pub(crate) period: String,
    /// How often metrics-server scrapes
    #[arg(long, default_value = "15s", value_name = "DURATION")]
    pub(crate) resolution: String,
    /// Instead measure the time from a step in usage to the scale that is written
    #[arg(long)]
    pub(crate) reaction: bool,
    /// Measure ours, upstream's, or both in turn
    #[arg(long, value_enum, default_value_t)]
    pub(crate) of: Sides,
}

/// Whose programs are measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sides {
    Ours,
    Upstream,
    #[default]
    Both,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Objects to create in each measurement
    #[arg(long, default_value_t = 20_000)]
    pub(crate) objects: usize,
}
