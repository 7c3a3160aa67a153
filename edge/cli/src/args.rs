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
    HpaController(Box<HpaControllerArgs>),
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
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=128))]
    pub(crate) nodes: u8,
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
pub(crate) struct HpaControllerArgs {
    /// How to reach the cluster [default: the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// How much is logged, 0 to 10
    #[arg(short, long, default_value_t = 2, value_name = "LEVEL")]
    pub(crate) v: u8,
    #[command(flatten)]
    pub(crate) hpa: HpaFlags,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Objects to create in each measurement
    #[arg(long, default_value_t = 20_000)]
    pub(crate) objects: usize,
}
