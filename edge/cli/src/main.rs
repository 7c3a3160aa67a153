//! `evenkeel`: one binary, a subcommand a job.

mod args;
mod bench;
mod commands;
mod demo;
mod explain;
mod lab;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(args::Cli::parse())
}
