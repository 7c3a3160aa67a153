//! `evenkeel explain`: one decision, and why, from a snapshot or from a cluster.

mod live;
mod print;
mod witness;

use crate::args::ExplainArgs;
use anyhow::{Context, Result};
pub(crate) use live::{name_of, said};
pub(crate) use print::out;
use record::{Choice, Documents, INPUT_BYTES_MAX, Snapshot};
use std::io::Read;
use tokio_util::sync::CancellationToken;
use units::Timestamp;

/// What was typed, or what a file holds, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

/// Explains one decision; false when the cluster has no such autoscaler.
pub(crate) async fn run(args: ExplainArgs, stop: CancellationToken) -> Result<bool> {
    let gathered = match args.object.as_slice() {
        [] => Some(from_files(&args)?),
        object => {
            let work = live::gather(object, &args);
            tokio::select! {
                gathered = work => gathered?,
                () = stop.cancelled() => anyhow::bail!("interrupted"),
            }
        }
    };
    let Some((documents, snapshot)) = gathered else {
        return Ok(false);
    };
    for warning in &snapshot.warnings {
        print::warn(warning);
    }
    let changed = match args.what_if.as_slice() {
        [] => None,
        changes => {
            let changes = changes.join(",");
            let changed = snapshot.what_if(&changes);
            Some(changed.map_err(|e| BadInput(format!("--what-if: {e}")))?)
        }
    };
    if let Some(file) = &args.save {
        let text = snapshot.save(&documents)?;
        std::fs::write(file, text)
            .with_context(|| format!("cannot write the snapshot to {}", file.display()))?;
    }
    let text = print::render(&snapshot, changed.as_ref(), args.output)?;
    out(&text)?;
    Ok(true)
}

fn from_files(args: &ExplainArgs) -> Result<(Documents, Snapshot)> {
    let mut documents = Documents::default();
    for name in &args.filename {
        let (name, bytes) = read(name)?;
        documents
            .read(&name, &bytes)
            .map_err(|e| BadInput(e.to_string()))?;
    }
    let choice = Choice {
        hpa: args.hpa.as_deref(),
        now: now(),
    };
    let snapshot = Snapshot::read(&documents, choice).map_err(|e| BadInput(e.to_string()))?;
    Ok((documents, snapshot))
}

/// The bytes of a file, and what errors call it.
fn read(name: &str) -> Result<(String, Vec<u8>), BadInput> {
    let most = INPUT_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    let (name, done) = if name == "-" {
        let done = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
        ("standard input", done)
    } else {
        let opened = std::fs::File::open(name);
        let done = opened.and_then(|file| file.take(most).read_to_end(&mut bytes));
        (name, done)
    };
    match done {
        Ok(_) => Ok((name.to_owned(), bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => Err(BadInput(format!(
            "{name}: a directory: name its files, each with -f"
        ))),
        Err(error) => Err(BadInput(format!("{name}: cannot be read: {error}"))),
    }
}

/// The wall clock.
fn now() -> Timestamp {
    Timestamp::from_nanos(runtime::clock::now().as_nanosecond())
}
