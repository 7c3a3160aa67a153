//! `cargo xtask bench NAME`: figures, never verdicts.

use crate::command::{self, cargo, target};
use anyhow::{Result, bail};
use std::process::Command;

/// Runs one of them.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    match name {
        "lab" => driver("bench-lab", arguments),
        "metrics-server" => driver("bench-metrics-server", arguments),
        "decide" => decide(),
        _ => bail!("no benchmark is called {name}; there are: lab, decide, metrics-server"),
    }
}

/// Builds only what decides, as it is built for users.
fn decide() -> Result<()> {
    command::run(&mut cargo(&[
        "bench",
        "--quiet",
        "--locked",
        "--package",
        "xtask",
        "--bench",
        "decide",
    ]))
}

/// Builds the release binary as images have it, and runs one of its hidden bench drivers.
fn driver(name: &str, arguments: &[&str]) -> Result<()> {
    command::run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "evenkeel",
        "--features",
        "jemalloc",
    ]))?;
    let binary = target().join("release/evenkeel");
    command::run(Command::new(binary).arg(name).args(arguments))
}
