//! The control plane that is measured, from the file that describes it.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE: &str = "control-plane.json";
const MANAGER: &str = "kube-controller-manager";

/// What there is of it.
#[derive(Debug)]
pub(in crate::bench) struct Plane {
    /// The program that is all of its parts, and metrics-server.
    pub(in crate::bench) binary: PathBuf,
    /// The administrator's.
    pub(in crate::bench) kubeconfig: PathBuf,
    /// kube-apiserver's process.
    pub(in crate::bench) api_server: u32,
    manager: Vec<String>,
}

#[derive(Deserialize)]
struct State {
    binary: PathBuf,
    kubeconfig: PathBuf,
    parts: BTreeMap<String, Part>,
}

#[derive(Deserialize)]
struct Part {
    pid: u32,
    arguments: Vec<String>,
}

impl Plane {
    /// Reads what `cargo xtask control-plane up` has written.
    pub(in crate::bench) fn read(dir: &Path) -> Result<Self> {
        let file = dir.join(FILE);
        let text = std::fs::read(&file).with_context(|| {
            format!(
                "cannot read {}: start a control plane with cargo xtask control-plane up --dir {}",
                file.display(),
                dir.display()
            )
        })?;
        let State {
            binary,
            kubeconfig,
            mut parts,
        } = serde_json::from_slice(&text)
            .with_context(|| format!("{} describes no control plane", file.display()))?;
        let mut part = |name: &str| {
            let part = parts.remove(name);
            part.with_context(|| format!("the control plane has no {name}"))
        };
        Ok(Self {
            binary,
            kubeconfig,
            api_server: part("kube-apiserver")?.pid,
            manager: part(MANAGER)?.arguments,
        })
    }

    /// Arguments of a kube-controller-manager that does nothing but autoscale.
    pub(in crate::bench) fn autoscaling(&self, period: &str) -> Vec<String> {
        let mut arguments: Vec<String> = self.manager.clone();
        arguments.retain(|argument| {
            !["--controllers", "--secure-port", "--leader-elect"]
                .iter()
                .any(|flag| argument.starts_with(flag))
        });
        arguments.extend([
            "--controllers=horizontal-pod-autoscaler-controller".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            format!("--horizontal-pod-autoscaler-sync-period={period}"),
        ]);
        arguments
    }
}
