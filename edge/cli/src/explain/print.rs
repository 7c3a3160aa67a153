//! Answers as text, JSON and YAML.

use crate::args::Output;
use anyhow::{Context, Result};
use record::{Answer, Snapshot, subject};
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// The real answer beside that for a changed specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    actual: Answer,
    what_if: Answer,
}

/// What is printed.
pub(super) fn render(
    actual: &Snapshot,
    what_if: Option<&Snapshot>,
    output: Output,
) -> Result<String> {
    match (output, what_if) {
        (Output::Text, None) => Ok(text(actual)),
        (Output::Text, Some(changed)) => Ok(beside(actual, changed)),
        (_, None) => data(&answer(actual), output),
        (_, Some(changed)) => {
            let both = Both {
                actual: answer(actual),
                what_if: answer(changed),
            };
            data(&both, output)
        }
    }
}

fn answer(snapshot: &Snapshot) -> Answer {
    Answer::of(snapshot, &snapshot.decide())
}

fn text(snapshot: &Snapshot) -> String {
    let (name, decision) = (snapshot.name(), snapshot.decide());
    explain::text(&subject(&name, snapshot, &decision))
}

fn beside(actual: &Snapshot, changed: &Snapshot) -> String {
    let name = actual.name();
    let (real, other) = (actual.decide(), changed.decide());
    explain::compare(
        &subject(&name, actual, &real),
        &subject(&name, changed, &other),
    )
}

fn data(value: &impl Serialize, output: Output) -> Result<String> {
    if output == Output::Yaml {
        return Ok(record::yaml(value)?);
    }
    let mut text =
        serde_json::to_string_pretty(value).context("cannot write the answer as JSON")?;
    text.push('\n');
    Ok(text)
}

/// Data goes to stdout; a reader that has seen enough is no mistake.
pub(crate) fn out(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to stdout"),
    }
}

#[expect(clippy::print_stderr, reason = "the program speaks to people here")]
pub(super) fn warn(text: &str) {
    eprintln!("evenkeel: {text}");
}
