//! What can be typed. What it means is in [`crate::commands`].

use crate::plan::{Part, Settings};
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// A real Kubernetes control plane on loopback addresses.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask control-plane", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build upstream's programs, and print BINARY=PATH
    Build,
    /// Start all parts, wait until they are ready, and print KUBECONFIG=PATH last
    Up(Up),
    /// End all parts and remove what they left
    Down(At),
    /// Say which parts run; the exit code is 1 where one does not
    Status(At),
    /// Start a part that was stopped
    Start(One),
    /// End one part
    Stop(Named),
    /// End one part and start it again, with other settings if some are given
    Restart(One),
}

/// Where it is.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The folder that holds its state
    #[arg(long, value_name = "DIR", default_value_os_t = default_dir())]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) at: At,
    /// The parts to start
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART", default_values_t = Part::ALL)]
    pub(crate) only: Vec<Part>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Stay, and take everything down when standard input ends
    #[arg(long)]
    pub(crate) foreground: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Which part
    #[arg(value_enum)]
    pub(crate) part: Part,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    pub(crate) named: Named,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

fn default_dir() -> PathBuf {
    target().join("control-plane")
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
