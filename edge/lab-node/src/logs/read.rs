//! Reading logs: `kubectl logs` with its options.
//!
//! Upstream: ReadLogs (cri-client/pkg/logs/logs.go).

use super::set_aside;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What to read. Upstream: PodLogOptions.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Go on when more comes.
    pub follow: bool,
    /// Begin each line with its time.
    pub timestamps: bool,
    /// Only the last lines.
    pub tail_lines: Option<usize>,
    /// Only what came since.
    pub since: Option<Timestamp>,
    /// Stop after so many bytes.
    pub limit_bytes: Option<u64>,
    /// Only `Stdout` or `Stderr`; both by default.
    pub stream: Option<String>,
}

/// A place in a container's log.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    options: LogOptions,
    file: Option<BufReader<File>>,
    backlog: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    left: u64,
}

impl Reader {
    /// A reader at the place where `options` say to begin.
    pub fn open(path: &Path, options: LogOptions) -> std::io::Result<Self> {
        let left = options.limit_bytes.unwrap_or(u64::MAX);
        let mut reader = Self {
            path: path.to_owned(),
            options,
            file: None,
            backlog: VecDeque::new(),
            partial: Vec::new(),
            left,
        };
        if let Ok(older) = File::open(set_aside(path)) {
            reader.file = Some(BufReader::new(older));
            reader.collect();
        }
        reader.file = Some(BufReader::new(File::open(path)?));
        reader.collect();
        Ok(reader)
    }

    /// Reads ahead as far as `tail_lines` needs; without it, up to the end of the older file.
    fn collect(&mut self) {
        while let Some(line) = self.read_line() {
            self.backlog.push_back(line);
            if let Some(tail) = self.options.tail_lines {
                while self.backlog.len() > tail {
                    self.backlog.pop_front();
                }
            }
        }
    }

    /// What there is, up to about 64 KiB; empty at the end for now. `None`: the limit is reached.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        if self.left == 0 {
            return None;
        }
        let mut out = Vec::new();
        while out.len() < 64 * 1024 {
            let next = self.backlog.pop_front().or_else(|| self.next_line());
            let Some(line) = next else { break };
            out.extend_from_slice(&line);
        }
        let length = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(out.len());
        out.truncate(length);
        self.left -= u64::try_from(length).unwrap_or(self.left);
        Some(out)
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        if let Some(line) = self.read_line() {
            return Some(line);
        }
        // At the end of a file that was set aside, the new one goes on.
        if self.was_set_aside() {
            self.file = Some(BufReader::new(File::open(&self.path).ok()?));
            return self.read_line();
        }
        None
    }

    fn was_set_aside(&mut self) -> bool {
        let Some(file) = &mut self.file else {
            return false;
        };
        let position = file.stream_position().unwrap_or_default();
        std::fs::metadata(&self.path).is_ok_and(|now| now.len() < position)
    }

    /// The next line that the options want, as it is to be sent.
    fn read_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let file = self.file.as_mut()?;
            let read = file.read_until(b'\n', &mut self.partial).ok()?;
            if read == 0 || self.partial.last() != Some(&b'\n') {
                // Half a line: the rest of it will come.
                if let Ok(back) = i64::try_from(self.partial.len()) {
                    drop(file.seek(SeekFrom::Current(-back)));
                }
                self.partial.clear();
                return None;
            }
            let line = std::mem::take(&mut self.partial);
            if let Some(text) = self.render(&line) {
                return Some(text);
            }
        }
    }

    fn render(&self, line: &[u8]) -> Option<Vec<u8>> {
        let mut parts = line.splitn(4, |b| *b == b' ');
        let time = std::str::from_utf8(parts.next()?).ok()?;
        let stream = parts.next()?;
        let tag = parts.next()?;
        let text = parts.next()?;
        if let Some(since) = self.options.since
            && time.parse::<Timestamp>().is_ok_and(|t| t < since)
        {
            return None;
        }
        if let Some(wanted) = &self.options.stream
            && !wanted.eq_ignore_ascii_case("all")
            && !wanted.as_bytes().eq_ignore_ascii_case(stream)
        {
            return None;
        }
        let mut out = Vec::with_capacity(line.len());
        if self.options.timestamps {
            out.extend_from_slice(time.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(if tag == b"P" {
            text.strip_suffix(b"\n")?
        } else {
            text
        });
        Some(out)
    }
}
