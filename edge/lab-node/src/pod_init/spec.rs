//! What `pod-init` is told, and what it tells back: the contract between the node and the process
//! that becomes a container's supervisor. Written as JSON, read once.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything `pod-init` needs to start one program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// The program: a path, or a name looked up in the `PATH` of `env`.
    pub program: String,
    /// What the program sees as its own name, where it differs.
    #[serde(default)]
    pub name: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its working directory.
    #[serde(default)]
    pub workdir: Option<String>,
    /// `securityContext.runAsUser`; needs root.
    #[serde(default)]
    pub user: Option<u32>,
    /// `securityContext.runAsGroup`; needs root.
    #[serde(default)]
    pub group: Option<u32>,
    /// The terminal's device, where the container has one.
    #[serde(default)]
    pub terminal: Option<PathBuf>,
    /// Control groups to start the program in.
    #[serde(default)]
    pub cgroups: Vec<CgroupEntry>,
    /// Where the program sees its files.
    pub view: View,
    /// A FIFO whose writing end the node holds: commands come here, and its end means that the node
    /// has died.
    pub control: PathBuf,
    /// A FIFO for [`Report`]s, one JSON object a line.
    pub report: PathBuf,
}

/// One control group: the files that list its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupEntry {
    /// `cgroup.procs` of the container's group.
    pub join: PathBuf,
    /// `cgroup.procs` of the group that the supervisor goes back to.
    pub leave: PathBuf,
}

/// How much of a container's own file system the machine allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// A private root: the host's files below, the pod's own changes and mounts above.
    Overlay,
    /// The host's files, with the pod's files mounted where a mount point exists.
    Mounts,
    /// Nothing of its own.
    None,
}

/// The files that a program sees.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum View {
    /// The host's.
    Host,
    /// Its own, made for it.
    New(NewView),
    /// Those of a running process (for `exec`).
    Join {
        /// The process whose namespaces to enter.
        pid: i32,
        /// Whether it has its own user namespace.
        user_namespace: bool,
    },
}

/// How to make a view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewView {
    /// Overlay or plain mounts.
    pub isolation: Isolation,
    /// Whether a user namespace is needed first (not root).
    pub user_namespace: bool,
    /// An empty directory to build the view in.
    pub scratch: PathBuf,
    /// The pod's host name.
    pub hostname: String,
    /// What to mount, in order.
    pub mounts: Vec<Mount>,
    /// `securityContext.readOnlyRootFilesystem`.
    pub read_only: bool,
}

/// One bind mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What, in the host's files.
    pub source: PathBuf,
    /// Where, in the program's.
    pub target: PathBuf,
    /// Whether writes are refused.
    pub read_only: bool,
}

/// What the supervisor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Report {
    /// The program runs.
    Started {
        /// Its process id.
        pid: i32,
    },
    /// The program could not be started.
    Failed {
        /// Why.
        message: String,
    },
    /// The program has ended, and everything it left behind too.
    Exited {
        /// Its exit code, or 128 + the signal's number.
        code: i32,
        /// The signal that ended it.
        signal: Option<i32>,
    },
}

/// What the node asks of the supervisor: one line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Send this signal to the program.
    Signal(i32),
    /// Kill the program and everything it started.
    Kill,
}

impl Command {
    /// The line to write.
    pub fn line(self) -> String {
        match self {
            Self::Signal(number) => format!("signal {number}\n"),
            Self::Kill => "kill\n".to_owned(),
        }
    }

    /// Reads a line; anything unknown is ignored.
    pub fn parse(line: &str) -> Option<Self> {
        match line.trim().split_once(' ') {
            Some(("signal", number)) => number.parse().ok().map(Self::Signal),
            None if line.trim() == "kill" => Some(Self::Kill),
            _ => None,
        }
    }
}
