//! `cargo xtask fuzz [TARGET] [--seconds N]`: random input against what must hold for any.
//!
//! Seeds are committed; what a run finds besides goes to `fuzz/corpus`, which is not. A crash is written
//! to `fuzz/artifacts`: make it a test beside the module it is about.

use crate::command::{self, cargo, root};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Of `fuzz/fuzz_targets`.
const TARGETS: [&str; 4] = ["quantity", "decide", "snapshot", "scrape"];
const SECONDS: &str = "60";

/// Runs one target, or one after another.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (target, seconds) = match arguments {
        [] => (None, SECONDS),
        ["--seconds", seconds] => (None, *seconds),
        [target] => (Some(*target), SECONDS),
        [target, "--seconds", seconds] => (Some(*target), *seconds),
        _ => bail!("usage: cargo xtask fuzz [TARGET] [--seconds N]"),
    };
    let targets: Vec<&str> = TARGETS
        .into_iter()
        .filter(|name| target.is_none_or(|wanted| wanted == *name))
        .collect();
    if targets.is_empty() {
        bail!("no such target; there are: {}", TARGETS.join(", "));
    }
    let seconds: u32 = seconds
        .parse()
        .with_context(|| format!("--seconds {seconds}: a whole number is needed"))?;
    if command::output(&mut cargo(&["fuzz", "--version"])).is_none() {
        bail!("cargo-fuzz is not installed: cargo install cargo-fuzz");
    }
    targets.into_iter().try_for_each(|name| fuzz(name, seconds))
}

fn fuzz(target: &str, seconds: u32) -> Result<()> {
    let corpus = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&corpus)
        .with_context(|| format!("cannot make the folder {}", corpus.display()))?;
    // No sanitizer: there is no unsafe code of ours to watch, and stable Rust can do without.
    let mut command = cargo(&["fuzz", "run", "--sanitizer", "none", target]);
    command
        .arg(corpus)
        .arg(root().join("fuzz/seeds").join(target));
    command.args(["--".to_owned(), format!("-max_total_time={seconds}")]);
    add_dictionary(&mut command, target);
    command::run(&mut command)
}

/// Words that random bytes would take long to form.
fn add_dictionary(command: &mut Command, target: &str) {
    let dictionary = root().join(format!("fuzz/seeds/{target}.dict"));
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
}
