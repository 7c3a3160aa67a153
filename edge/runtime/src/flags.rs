//! Flags as Go's programs take them, put into the form that clap takes.
//!
//! Upstream: spf13/pflag. Of a flag that is given twice the last counts; `T`, `1` and the like are yes; a value may begin
//! with a dash; an empty value is none. Not here: what the flags are.

use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;

/// What to do with words that are no flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positionals {
    /// Leave them out, as cobra's commands without subcommands do.
    Ignored,
    /// Hand them on.
    Kept,
}

/// The flags of `command` among `words`, each as one word, in the order in which they count.
pub fn normalised(
    command: &Command,
    positionals: Positionals,
    words: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut command = command.clone();
    command.build();
    let mut out: Vec<Word> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else {
            out.push(Word::other(word));
            continue;
        };
        if text == "--" {
            if positionals == Positionals::Kept {
                out.push(Word::other(word));
                out.extend(words.by_ref().map(Word::other));
            }
            break;
        }
        match found(&command, text) {
            Found::Positional if positionals == Positionals::Ignored => {}
            Found::Positional | Found::Unknown => out.push(Word::other(word)),
            Found::Flag(arg, Some(value)) => put(&mut out, arg, value),
            Found::Flag(arg, None) if is_switch(arg) => put(&mut out, arg, "true"),
            Found::Flag(arg, None) => match words.next() {
                Some(value) => put(&mut out, arg, &value.to_string_lossy()),
                // clap says what is missing.
                None => out.push(Word::other(word)),
            },
        }
    }
    out.into_iter().map(|word| word.text).collect()
}

/// A word, and of which flag it is.
struct Word {
    flag: Option<String>,
    text: OsString,
}

impl Word {
    fn other(text: OsString) -> Self {
        Self { flag: None, text }
    }
}

enum Found<'a> {
    Flag(&'a Arg, Option<&'a str>),
    Unknown,
    Positional,
}

fn found<'a>(command: &'a Command, word: &'a str) -> Found<'a> {
    let mut args = command.get_arguments();
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = split(long);
        return match args.find(|arg| arg.get_long() == Some(name)) {
            Some(arg) if takes_part(arg) => Found::Flag(arg, value),
            _ => Found::Unknown,
        };
    }
    let Some(short) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
        return Found::Positional;
    };
    let mut rest = short.chars();
    let letter = rest.next();
    let value = Some(rest.as_str().strip_prefix('=').unwrap_or(rest.as_str()));
    match args.find(|arg| arg.get_short() == letter) {
        Some(arg) if takes_part(arg) => Found::Flag(arg, value.filter(|_| short.len() > 1)),
        _ => Found::Unknown,
    }
}

fn split(long: &str) -> (&str, Option<&str>) {
    match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    }
}

/// Help is clap's own matter.
fn takes_part(arg: &Arg) -> bool {
    arg.get_long().is_some()
        && matches!(
            arg.get_action(),
            ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
        )
}

/// On or off, and need not have a value.
fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
        || arg.get_num_args().is_some_and(|n| n.min_values() == 0)
}

/// Lists grow, everything else is replaced.
fn put(out: &mut Vec<Word>, arg: &Arg, value: &str) {
    let name = arg.get_long().unwrap_or_default();
    let flag = Some(name.to_owned());
    let is_list = matches!(arg.get_action(), ArgAction::Append) && !is_switch(arg);
    if !is_list || value.is_empty() {
        out.retain(|word| word.flag != flag);
    }
    // An empty list is one, where there would be something otherwise.
    if value.is_empty() && (!is_list || arg.get_default_values().is_empty()) {
        return;
    }
    let text = match (is_switch(arg), parsed_bool(value)) {
        (true, Some(false)) if matches!(arg.get_action(), ArgAction::SetTrue) => return,
        (true, Some(true)) if matches!(arg.get_action(), ArgAction::SetTrue) => format!("--{name}"),
        (true, Some(value)) => format!("--{name}={value}"),
        _ => format!("--{name}={value}"),
    };
    out.push(Word {
        flag,
        text: text.into(),
    });
}

/// Upstream: strconv.ParseBool.
fn parsed_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
