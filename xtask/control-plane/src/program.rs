//! Building upstream's programs: once for each state of their sources.

use crate::args::{root, target};
use crate::complain;
use anyhow::{Context, Result, bail};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What upstream's programs say that they are.
const VERSION: &str = "v1.36.3";

/// The program, which is all of them.
pub(crate) fn build() -> Result<PathBuf> {
    let sources = root().join("tests/control-plane");
    let folder = target().join("test-tools/control-plane");
    let kept = folder.join(format!("{:016x}", fingerprint(&sources)?));
    if !kept.is_file() {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        complain("building upstream's control plane; without Go's cache this takes some minutes");
        compile(&sources, &kept)?;
        remove_others(&folder, &kept);
    }
    kept.canonicalize()
        .with_context(|| format!("cannot open {}", kept.display()))
}

/// Other sources, another number.
fn fingerprint(sources: &Path) -> Result<u64> {
    let entries = fs::read_dir(sources);
    let entries = entries.with_context(|| format!("cannot read {}", sources.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    VERSION.hash(&mut hasher);
    for file in files {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        (file.file_name(), text).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// To a name of its own first: whoever looks meanwhile sees a whole program or none.
fn compile(sources: &Path, wanted: &Path) -> Result<()> {
    let part = wanted.with_extension(std::process::id().to_string());
    let mut command = Command::new("go");
    command
        .args(["build", "-trimpath", "-ldflags", &link_flags(), "-o"])
        .arg(&part)
        .arg(".")
        .current_dir(sources);
    let status = command
        .status()
        .context("cannot run go: install Go 1.26, or put it on PATH")?;
    if !status.success() {
        bail!("go cannot build {} ({status})", sources.display());
    }
    fs::rename(&part, wanted).with_context(|| format!("cannot write {}", wanted.display()))
}

/// The version, where Kubernetes' own build puts it.
fn link_flags() -> String {
    let mut flags = "-s -w".to_owned();
    let said = [
        ("gitVersion", VERSION),
        ("gitMajor", "1"),
        ("gitMinor", "36"),
        ("gitTreeState", "clean"),
    ];
    for package in ["component-base/version", "client-go/pkg/version"] {
        for (name, value) in said {
            flags.push_str(&format!(" -X k8s.io/{package}.{name}={value}"));
        }
    }
    flags
}

/// Of other states of the sources. One that runs goes on: its file is only without a name.
fn remove_others(folder: &Path, kept: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.path() != kept) {
        drop(fs::remove_file(entry.path()));
    }
}
