//! The words of the command line, before they are parsed: by which name we were called, and Go's way with flags for the
//! programs that take the place of Go's.

use crate::args::Cli;
use clap::CommandFactory;
use runtime::flags::{Positionals, normalised};
use std::ffi::OsString;
use std::path::Path;

const METRICS_SERVER: &str = "metrics-server";
const HPA_CONTROLLER: &str = "hpa-controller";

/// What clap is to parse.
pub(crate) fn given(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    // Manifests of metrics-server may name its program.
    let called = words.first().map(Path::new).and_then(Path::file_name);
    if called.is_some_and(|name| name == METRICS_SERVER) {
        words.insert(1, METRICS_SERVER.into());
    }
    let Some(name) = words.get(1).and_then(|word| word.to_str()) else {
        return words;
    };
    let positionals = match name {
        METRICS_SERVER => Positionals::Ignored,
        HPA_CONTROLLER => Positionals::Kept,
        _ => return words,
    };
    let command = Cli::command();
    let Some(command) = command.find_subcommand(name) else {
        return words;
    };
    let flags = normalised(command, positionals, words.split_off(2));
    words.extend(flags);
    words
}

#[cfg(test)]
mod tests;
