//! What CI runs, and what mends what CI would refuse.

use crate::command::{self, cargo};
use anyhow::Result;

/// `cargo xtask ci`: formatting, lints and docs with warnings denied; then the tests, whose summary
/// comes last.
pub(crate) fn run() -> Result<()> {
    command::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    command::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    command::run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    crate::test::run(&[])
}

/// `cargo xtask fix`.
pub(crate) fn fix() -> Result<()> {
    command::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--fix",
        "--allow-dirty",
    ]))?;
    command::run(&mut cargo(&["fmt", "--all"]))
}
