//! What is known of a control plane that was started: `control-plane.json` in its folder.
//!
//! Tests and benchmarks read it too, to stop, hold or watch a part; a part's process is also in `PART.pid`.

use crate::plan::{Part, Plan, Settings};
use crate::process;
use anyhow::{Context, Result};
use lab_auth::pki::write_private;
use runtime::network::LabNetwork;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "control-plane.json";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    /// Whose parts these are.
    pub(crate) binary: PathBuf,
    /// The administrator's.
    pub(crate) kubeconfig: PathBuf,
    /// Where the API answers.
    pub(crate) server: String,
    /// The second octet of its addresses, and of those of a lab that joins.
    pub(crate) block: u8,
    pub(crate) settings: Settings,
    pub(crate) parts: BTreeMap<Part, Process>,
}

/// A part as it was started last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) arguments: Vec<String>,
    pub(crate) log: PathBuf,
}

impl State {
    pub(crate) fn new(plan: &Plan, binary: PathBuf, settings: Settings) -> Self {
        Self {
            binary,
            kubeconfig: plan.kubeconfig(crate::pki::ADMIN),
            server: plan.server(),
            block: plan.network.block(),
            settings,
            parts: BTreeMap::new(),
        }
    }

    /// What `dir` holds, if it holds something.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let file = dir.join(FILE);
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .with_context(|| format!("{} is damaged: end its parts by hand", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// What `dir` holds.
    pub(crate) fn of(dir: &Path) -> Result<Self> {
        let state = Self::read(dir)?;
        state.with_context(|| {
            format!(
                "there is no control plane in {}: start one with up",
                dir.display()
            )
        })
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        write_private(&dir.join(FILE), &text)?;
        for (part, process) in &self.parts {
            let file = dir.join(format!("{part}.pid"));
            write_private(&file, process.pid.to_string().as_bytes())?;
        }
        Ok(())
    }

    pub(crate) fn plan(&self, dir: &Path) -> Result<Plan> {
        let network = LabNetwork::new(self.block);
        let network = network.with_context(|| format!("{} is no lab's block", self.block))?;
        Ok(Plan {
            dir: dir.to_owned(),
            network,
        })
    }

    /// Whether a part runs.
    pub(crate) fn runs(&self, part: Part) -> bool {
        let process = self.parts.get(&part);
        process.is_some_and(|p| process::runs(p.pid, &self.binary, &p.arguments))
    }

    /// Ends a part, if it runs.
    pub(crate) fn end(&self, part: Part, how: process::How) -> Result<()> {
        match self.parts.get(&part) {
            Some(process) if self.runs(part) => process::end(process.pid, how, || self.runs(part))
                .with_context(|| format!("cannot end {part}")),
            _ => Ok(()),
        }
    }
}

/// Removes all that was made in `dir`, and `dir` if nothing else is in it.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries.flatten().filter(is_ours) {
        let path = entry.path();
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    // Others' files stay, and the folder with them.
    drop(fs::remove_dir(dir));
    Ok(())
}

fn is_ours(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    let part = |end: &str| {
        let name = name.strip_suffix(end);
        name.is_some_and(|name| {
            name == crate::pki::ADMIN || Part::ALL.iter().any(|p| p.name() == name)
        })
    };
    [FILE, "pki", "etcd", "flexvolume"].contains(&&*name)
        || [".pid", ".log", ".conf"].into_iter().any(part)
}

#[cfg(test)]
mod tests;
