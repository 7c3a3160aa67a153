//! `cargo xtask control-plane …`: a real control plane, by a program of its own.
//!
//! What starts one needs TLS and certificates; built apart, it does not make the other commands wait.

use crate::command::{self, cargo, target};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Builds the program and hands it what was typed.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    command::run(Command::new(built()?).args(arguments))
}

/// The program that starts and ends control planes.
pub(crate) fn built() -> Result<PathBuf> {
    // With the binary that one has anyway: alone, it would have its dependencies built with fewer features, anew.
    let build = ["build", "--quiet", "--locked"];
    let packages = ["--package", "evenkeel", "--package", "control-plane"];
    command::run(cargo(&build).args(packages))?;
    Ok(target().join("debug/control-plane"))
}

/// Upstream's programs in one, built if they are not.
pub(crate) fn upstream() -> Result<PathBuf> {
    let said = command::output(Command::new(built()?).arg("build"));
    let path = said.as_deref().and_then(|text| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix("BINARY="))
    });
    path.map(PathBuf::from)
        .context("cannot build upstream's programs: `cargo xtask control-plane build` says why")
}
