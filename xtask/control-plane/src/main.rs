//! `cargo xtask control-plane`: a real control plane on loopback addresses, for tests and benchmarks.
//!
//! etcd, kube-apiserver, kube-controller-manager and kube-scheduler are upstream's own, built from
//! `tests/control-plane`. Not here: nodes; `evenkeel lab --control-plane` joins some.

mod args;
mod commands;
mod pki;
mod place;
mod plan;
mod probe;
mod process;
mod program;
mod state;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(args::Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("control-plane: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints data.
#[expect(clippy::print_stdout, reason = "a program that speaks")]
fn say(text: &str) {
    println!("{text}");
}

/// Prints for people.
#[expect(clippy::print_stderr, reason = "a program that speaks")]
fn complain(text: &str) {
    eprintln!("{text}");
}
