//! `evenkeel`: one binary, a subcommand a job.

mod args;
mod bench;
mod commands;
mod demo;
mod explain;
mod handover;
mod lab;
mod words;

use clap::Parser;
use std::process::ExitCode;

/// The system's own keeps twice what is used: between things that live long lies what an answer needed for a moment.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    commands::run(args::Cli::parse_from(words::given(std::env::args_os())))
}
