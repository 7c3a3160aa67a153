//! `cargo xtask bench NAME`: figures, never verdicts.

use crate::command::{self, cargo, target};
use anyhow::{Result, bail};
use std::process::Command;

/// Builds the release binary and runs its hidden bench driver.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    if name != "lab" {
        bail!("no benchmark is called {name}; there is: lab");
    }
    command::run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "evenkeel",
    ]))?;
    let binary = target().join("release/evenkeel");
    command::run(Command::new(binary).args(["bench-lab"]).args(arguments))
}
