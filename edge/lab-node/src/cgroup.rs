//! Control groups: limits that the kernel enforces, and exact accounts of CPU and memory.
//!
//! Version 1 (cpu, cpuacct, memory) and version 2, as far as the machine lets this process write.
//! Where it does not, usage is read from `/proc` and limits are not enforced.

use crate::pod_init::spec::CgroupEntry;
use crate::proc::ProcessUsage;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// The kernel's scheduling period. Upstream: pkg/kubelet/cm/helpers_linux.go.
const PERIOD_MICROS: u64 = 100_000;
/// The smallest quota that the kernel takes.
const QUOTA_MICROS_MIN: u64 = 1_000;

/// What a container may use; thousandths of a core, and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `requests.cpu`.
    pub cpu_request_milli: u64,
    /// `limits.cpu`.
    pub cpu_limit_milli: Option<u64>,
    /// `limits.memory`.
    pub memory_limit_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// How much of a contended processor a group gets beside others.
    fn set_weight(self, group: &Path, milli: u64) -> io::Result<()> {
        let shares = shares(milli);
        match self {
            Self::One => std::fs::write(group.join("cpu.shares"), shares.to_string()),
            Self::Two => {
                let weight = 1 + (shares - 2) * 9_999 / 262_142;
                std::fs::write(group.join("cpu.weight"), weight.to_string())
            }
        }
    }
}

/// Where a controller's groups are made, and where processes go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Controller {
    groups: PathBuf,
    home: PathBuf,
}

/// The control groups of one node.
#[derive(Debug, Clone)]
pub struct Cgroups {
    version: Version,
    cpu: Option<Controller>,
    accounts: Option<Controller>,
    memory: Option<Controller>,
}

/// The control group of one container instance.
#[derive(Debug, Clone)]
pub struct Cgroup {
    parent: Cgroups,
    name: String,
}

impl Cgroups {
    /// None at all.
    pub fn none() -> Self {
        Self {
            version: Version::One,
            cpu: None,
            accounts: None,
            memory: None,
        }
    }

    /// Looks for what can be written below `root` (`/sys/fs/cgroup`); `own` is `/proc/self/cgroup`.
    /// Groups are made in a directory `name`; what an earlier lab left there is removed.
    pub fn detect(root: &Path, own: &str, name: &str) -> Self {
        let found = if root.join("cgroup.controllers").exists() {
            Self::detect_two(root, own, name)
        } else {
            Self::detect_one(root, own, name)
        };
        for controller in [&found.cpu, &found.accounts, &found.memory]
            .into_iter()
            .flatten()
        {
            remove_children(&controller.groups);
        }
        found.weigh();
        found
    }

    /// All pods together weigh as much as the machine's processors; a group counts as one process otherwise, however
    /// many are in it. Upstream: node_container_manager_linux.go, getCgroupConfigInternal (v1.36), of `kubepods`.
    fn weigh(&self) {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let milli = u64::try_from(cores).unwrap_or(1).saturating_mul(1_000);
        if let Some(cpu) = &self.cpu {
            // Where that is refused, pods are slower beside busy programs: no reason not to run them.
            drop(self.version.set_weight(&cpu.groups, milli));
        }
    }

    fn detect_one(root: &Path, own: &str, name: &str) -> Self {
        let find = |controller: &str| {
            let path = own_path(own, controller)?;
            let mount = root.join(controller);
            // In a container the path may be the host's, which is not visible here.
            let homes = [mount.join(path.trim_start_matches('/')), mount];
            homes
                .into_iter()
                .find_map(|home| Controller::make(&home, name))
        };
        Self {
            version: Version::One,
            cpu: find("cpu"),
            accounts: find("cpuacct"),
            memory: find("memory"),
        }
    }

    fn detect_two(root: &Path, own: &str, name: &str) -> Self {
        let path = own
            .lines()
            .find_map(|l| l.strip_prefix("0::"))
            .unwrap_or("/");
        let homes = [root.join(path.trim_start_matches('/')), root.to_owned()];
        let found = homes
            .iter()
            .find_map(|home| Controller::make_two(home, name));
        Self {
            version: Version::Two,
            cpu: found.clone(),
            accounts: found.clone(),
            memory: found,
        }
    }

    /// What the lab says once where limits or exact accounts are missing.
    pub fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.cpu.is_none() {
            missing.push("CPU limits are not enforced");
        }
        if self.memory.is_none() {
            missing.push("memory limits are not enforced");
        }
        if self.accounts.is_none() {
            missing.push("CPU usage is read from /proc, some of it in steps of 10 ms");
        }
        missing
    }

    /// Removes the directories of this node, once its containers have ended.
    pub fn remove(&self) {
        for controller in [&self.cpu, &self.accounts, &self.memory]
            .into_iter()
            .flatten()
        {
            remove_children(&controller.groups);
            drop(std::fs::remove_dir(&controller.groups));
        }
    }

    /// Makes the group of a container instance.
    pub fn create(&self, name: &str, limits: &Limits) -> io::Result<Cgroup> {
        let group = Cgroup {
            parent: self.clone(),
            name: name.to_owned(),
        };
        for directory in group.directories() {
            std::fs::create_dir_all(directory)?;
        }
        match self.version {
            Version::One => group.limit_one(limits)?,
            Version::Two => group.limit_two(limits)?,
        }
        Ok(group)
    }
}

impl Controller {
    fn make(home: &Path, name: &str) -> Option<Self> {
        let groups = home.join(name);
        std::fs::create_dir_all(&groups).ok()?;
        rustix::fs::access(groups.join("cgroup.procs"), rustix::fs::Access::WRITE_OK).ok()?;
        Some(Self {
            groups,
            home: home.join("cgroup.procs"),
        })
    }

    /// In version 2 a group with controllers for its children may have no processes of its own: this
    /// process moves into a leaf first.
    fn make_two(home: &Path, name: &str) -> Option<Self> {
        const CONTROLLERS: &str = "+cpu +memory";
        let subtree = home.join("cgroup.subtree_control");
        let mut back = home.join("cgroup.procs");
        if std::fs::write(&subtree, CONTROLLERS).is_err() {
            let leaf = home.join("evenkeel-lab");
            std::fs::create_dir_all(&leaf).ok()?;
            back = leaf.join("cgroup.procs");
            std::fs::write(&back, "0").ok()?;
            std::fs::write(&subtree, CONTROLLERS).ok()?;
        }
        let groups = home.join(name);
        std::fs::create_dir_all(&groups).ok()?;
        std::fs::write(groups.join("cgroup.subtree_control"), CONTROLLERS).ok()?;
        Some(Self { groups, home: back })
    }
}

impl Cgroup {
    fn directory(&self, controller: Option<&Controller>) -> Option<PathBuf> {
        controller.map(|c| c.groups.join(&self.name))
    }

    fn directories(&self) -> Vec<PathBuf> {
        let parent = &self.parent;
        let mut all: Vec<PathBuf> = [&parent.cpu, &parent.accounts, &parent.memory]
            .into_iter()
            .filter_map(|c| self.directory(c.as_ref()))
            .collect();
        all.dedup();
        all
    }

    /// What a process has to write to, to be in this group, and to leave it.
    pub fn entries(&self) -> Vec<CgroupEntry> {
        let parent = &self.parent;
        let mut entries: Vec<CgroupEntry> = [&parent.cpu, &parent.accounts, &parent.memory]
            .into_iter()
            .flatten()
            .map(|c| CgroupEntry {
                join: c.groups.join(&self.name).join("cgroup.procs"),
                leave: c.home.clone(),
            })
            .collect();
        entries.dedup();
        entries
    }

    fn limit_one(&self, limits: &Limits) -> io::Result<()> {
        if let Some(cpu) = self.directory(self.parent.cpu.as_ref()) {
            Version::One.set_weight(&cpu, limits.cpu_request_milli)?;
            if let Some(milli) = limits.cpu_limit_milli {
                std::fs::write(cpu.join("cpu.cfs_period_us"), PERIOD_MICROS.to_string())?;
                std::fs::write(cpu.join("cpu.cfs_quota_us"), quota(milli).to_string())?;
            }
        }
        if let (Some(memory), Some(bytes)) = (
            self.directory(self.parent.memory.as_ref()),
            limits.memory_limit_bytes,
        ) {
            std::fs::write(memory.join("memory.limit_in_bytes"), bytes.to_string())?;
        }
        Ok(())
    }

    fn limit_two(&self, limits: &Limits) -> io::Result<()> {
        let Some(group) = self.directory(self.parent.cpu.as_ref()) else {
            return Ok(());
        };
        Version::Two.set_weight(&group, limits.cpu_request_milli)?;
        if let Some(milli) = limits.cpu_limit_milli {
            std::fs::write(
                group.join("cpu.max"),
                format!("{} {PERIOD_MICROS}", quota(milli)),
            )?;
        }
        if let Some(bytes) = limits.memory_limit_bytes {
            std::fs::write(group.join("memory.max"), bytes.to_string())?;
        }
        Ok(())
    }

    /// CPU time, where the kernel keeps it by group.
    pub fn cpu_nanos(&self) -> Option<u64> {
        let group = self.directory(self.parent.accounts.as_ref())?;
        match self.parent.version {
            Version::One => read_number(&group.join("cpuacct.usage")),
            Version::Two => read_field(&group.join("cpu.stat"), "usage_usec").map(|us| us * 1_000),
        }
    }

    /// The working set: memory in use without file pages that nobody has touched lately.
    pub fn memory_bytes(&self) -> Option<u64> {
        let group = self.directory(self.parent.memory.as_ref())?;
        let (usage, inactive) = match self.parent.version {
            Version::One => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.current", "inactive_file"),
        };
        let inactive = read_field(&group.join("memory.stat"), inactive).unwrap_or_default();
        Some(read_number(&group.join(usage))?.saturating_sub(inactive))
    }

    /// Usage, from `/proc` where the kernel does not keep it by group.
    pub fn usage(&self, supervisor: i32) -> ProcessUsage {
        let (cpu, memory) = (self.cpu_nanos(), self.memory_bytes());
        if let (Some(cpu_nanos), Some(memory_bytes)) = (cpu, memory) {
            return ProcessUsage {
                cpu_nanos,
                memory_bytes,
            };
        }
        let tree = crate::proc::tree_usage(supervisor);
        ProcessUsage {
            cpu_nanos: cpu.unwrap_or(tree.cpu_nanos),
            memory_bytes: memory.unwrap_or(tree.memory_bytes),
        }
    }

    /// Whether the kernel has killed a process here for want of memory.
    pub fn out_of_memory(&self) -> bool {
        let Some(group) = self.directory(self.parent.memory.as_ref()) else {
            return false;
        };
        let file = match self.parent.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        read_field(&group.join(file), "oom_kill").is_some_and(|count| count > 0)
    }

    /// Removes the group; it has no processes any more.
    pub fn remove(&self) {
        for directory in self.directories() {
            drop(std::fs::remove_dir(directory));
        }
    }
}

/// Upstream: MilliCPUToShares.
fn shares(milli: u64) -> u64 {
    (milli.saturating_mul(1_024) / 1_000).clamp(2, 262_144)
}

/// Upstream: MilliCPUToQuota.
fn quota(milli: u64) -> u64 {
    (milli.saturating_mul(PERIOD_MICROS) / 1_000).max(QUOTA_MICROS_MIN)
}

fn read_number(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn read_field(file: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|l| {
        l.split_once(' ')
            .filter(|(n, _)| *n == name)?
            .1
            .trim()
            .parse()
            .ok()
    })
}

/// `4:memory:/path`, or `2:cpu,cpuacct:/path`.
fn own_path(own: &str, controller: &str) -> Option<String> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let names = parts.next()?;
        let path = parts.next()?;
        names
            .split(',')
            .any(|n| n == controller)
            .then(|| path.to_owned())
    })
}

fn remove_children(groups: &Path) {
    let Ok(entries) = std::fs::read_dir(groups) else {
        return;
    };
    for entry in entries.flatten().filter(|e| e.path().is_dir()) {
        drop(std::fs::remove_dir(entry.path()));
    }
}
