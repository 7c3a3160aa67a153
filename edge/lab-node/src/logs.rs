//! Container logs: one file an instance, lines as container runtimes write them
//! (`TIME stdout F text`), two files of ten megabytes at most.

mod read;

pub use read::{LogOptions, Reader};

use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// A log file's size before it is set aside. Upstream: containerLogMaxSize.
const SIZE_MAX: u64 = 10 * 1024 * 1024;
/// A longer line is cut into parts, as containerd does.
const LINE_MAX: usize = 16 * 1024;

/// Which stream a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The log of one container instance, being written; clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    file: Arc<Mutex<Current>>,
    path: PathBuf,
    /// Grows with every write; `None` once nothing more will come.
    changes: Arc<watch::Sender<Option<u64>>>,
}

#[derive(Debug)]
struct Current {
    file: File,
    size: u64,
}

impl Log {
    /// Begins a log at `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        let (changes, _) = watch::channel(Some(0));
        Ok(Self {
            file: Arc::new(Mutex::new(Current { file, size })),
            path: path.to_owned(),
            changes: Arc::new(changes),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line, or a part of one. A full disk loses the line, not the container.
    pub fn write(&self, now: Timestamp, stream: Stream, text: &[u8], whole: bool) {
        let stream = if stream == Stream::Stdout {
            "stdout"
        } else {
            "stderr"
        };
        let tag = if whole { 'F' } else { 'P' };
        let mut line = format!("{now:.9} {stream} {tag} ").into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        let written = {
            let mut current = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            current.append(&self.path, &line)
        };
        if written.is_ok() {
            self.changes
                .send_modify(|n| *n = n.map(|n| n.wrapping_add(1)));
        }
    }

    /// Nothing more will come.
    pub fn finish(&self) {
        self.changes.send_replace(None);
    }

    /// Tells when there is more to read.
    pub fn watch(&self) -> watch::Receiver<Option<u64>> {
        self.changes.subscribe()
    }
}

impl Current {
    fn append(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > SIZE_MAX {
            std::fs::rename(path, set_aside(path))?;
            self.file = OpenOptions::new().create(true).append(true).open(path)?;
            self.size = 0;
        }
        self.file.write_all(line)?;
        self.size = self.size.saturating_add(length);
        Ok(())
    }
}

/// The older of a log's two files.
fn set_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes; calls `line` with each line that is complete (`true`) or too long (`false`).
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8], bool)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (head, tail) = bytes.split_at(end);
            self.rest.extend_from_slice(head);
            line(&self.rest, true);
            self.rest.clear();
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.rest.extend_from_slice(bytes);
        while self.rest.len() > LINE_MAX {
            let tail = self.rest.split_off(LINE_MAX);
            line(&self.rest, false);
            self.rest = tail;
        }
    }

    /// The last line, if it had no end.
    pub fn finish(self, mut line: impl FnMut(&[u8], bool)) {
        if !self.rest.is_empty() {
            line(&self.rest, true);
        }
    }
}
