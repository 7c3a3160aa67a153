//! `cargo xtask bench NAME`: figures, never verdicts.

use crate::command::{self, cargo, target};
use crate::control_plane;
use anyhow::{Result, bail};
use std::process::Command;

/// Runs one of them.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    match name {
        "lab" => driver("bench-lab", arguments),
        "metrics-server" => metrics_server(arguments),
        "hpa" => on_control_plane("bench-hpa", arguments, &BENCH_PLANE),
        "decide" => decide(),
        _ => bail!("no benchmark is called {name}; there are: lab, decide, metrics-server, hpa"),
    }
}

/// `--vs upstream` is the one that the tests build.
fn metrics_server(arguments: &[&str]) -> Result<()> {
    let mut words: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    let vs = words.windows(2).position(|two| two == ["--vs", "upstream"]);
    if let Some(at) = vs {
        words[at + 1] = format!("{} metrics-server", control_plane::upstream()?.display());
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    driver("bench-metrics-server", &words)
}

/// A control plane in which nothing moves of itself: pods need service accounts, and kubelets certificates.
const BENCH_PLANE: [&str; 1] = [
    "--controller-manager-flag=--controllers=serviceaccount-controller,root-ca-certificate-publisher-controller,certificatesigningrequest-signing-controller",
];
/// One with all of upstream's controllers but the one that is compared, which is started beside it.
const AGREEMENT_PLANE: [&str; 2] = ["--without", "horizontal-pod-autoscaler-controller"];

/// `cargo xtask agreement`.
pub(crate) fn agreement(arguments: &[&str]) -> Result<()> {
    on_control_plane("agreement", arguments, &AGREEMENT_PLANE)
}

/// Runs a driver against a real control plane, which ends with it.
fn on_control_plane(name: &str, arguments: &[&str], settings: &[&str]) -> Result<()> {
    let dir = target().join(name);
    let dir = dir.to_string_lossy();
    let plane = |words: &[&str]| {
        let words = [words, &["--dir", &dir]].concat();
        control_plane::run(&words)
    };
    build()?;
    plane(&[&["up"], settings].concat())?;
    let done = run_driver(name, &[&["--control-plane", &dir], arguments].concat());
    plane(&["down"])?;
    done
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

/// Builds the binary with the allocator that images have, and runs one of its hidden bench drivers.
fn driver(name: &str, arguments: &[&str]) -> Result<()> {
    build()?;
    run_driver(name, arguments)
}

fn build() -> Result<()> {
    command::run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "evenkeel",
        "--features",
        "jemalloc",
    ]))
}

fn run_driver(name: &str, arguments: &[&str]) -> Result<()> {
    let binary = target().join("release/evenkeel");
    command::run(Command::new(binary).arg(name).args(arguments))
}
