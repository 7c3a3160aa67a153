//! `cargo xtask test`: everything, with what the tests need found or installed first.

use crate::command::{self, cargo};
use crate::tools::{self, Tools};
use anyhow::{Result, bail};

/// Runs all tests. What a machine cannot run is said in one line each, and is an error in CI.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let tools = tools::find_or_install();
    for line in &tools.left_out {
        command::complain(&format!("left out: {line}"));
    }
    if !tools.left_out.is_empty() && std::env::var_os("CI").is_some() {
        bail!("on a CI machine nothing may be left out");
    }
    // The tests drive the binary that users get: the lab's own speed is part of what they see.
    command::run(&mut cargo(&["build", "--locked", "--package", "evenkeel"]))?;
    command::run(test_command(&tools).args(arguments))
}

fn test_command(tools: &Tools) -> std::process::Command {
    let mut command = cargo(&["test", "--workspace", "--locked"]);
    if std::env::var_os("CI").is_some() {
        // Whoever reads CI's report wants all that is wrong, not the first of it.
        command.arg("--no-fail-fast");
    }
    command.env("EVENKEEL_TEST_KUBECTL", &tools.kubectl);
    if let Some(python) = &tools.python {
        command.env("EVENKEEL_TEST_PYTHON", python);
    }
    if let Some(program) = &tools.control_plane {
        command.env("EVENKEEL_TEST_CONTROL_PLANE", program);
    }
    command
}
