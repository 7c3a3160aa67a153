//! A program under measurement, and what the operating system says of it.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Ends with its owner.
pub(super) struct Process {
    child: Child,
    name: OsString,
    log: PathBuf,
}

/// What it used until now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    /// Seconds of CPU.
    cpu: f64,
    /// Bytes of memory at this moment.
    pub(super) resident: u64,
}

impl Used {
    /// Seconds of CPU a second.
    pub(super) fn rate(before: Self, after: Self, over: Duration) -> f64 {
        (after.cpu - before.cpu) / over.as_secs_f64()
    }

    /// Seconds of CPU between two moments.
    pub(super) fn between(before: Self, after: Self) -> f64 {
        after.cpu - before.cpu
    }
}

impl Process {
    /// Starts a program, all that it says going to a file.
    pub(super) fn start(program: Vec<OsString>, flags: &[String], log: PathBuf) -> Result<Self> {
        let mut words = program.into_iter();
        let name = words.next().context("no program")?;
        let output = std::fs::File::create(&log)?;
        let child = Command::new(&name)
            .args(words)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", name.display()))?;
        Ok(Self { child, name, log })
    }

    /// Fails, with its last words, if it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!(
            "{} ended ({status}):\n{}",
            self.name.display(),
            last.join("\n")
        )
    }

    /// Ends it.
    pub(super) async fn end(mut self) -> Result<()> {
        let ended = self.child.kill().await;
        ended.with_context(|| format!("cannot end {}", self.name.display()))
    }

    /// What it used until now. Only the process itself: none of these programs has children.
    pub(super) fn used(&self) -> Result<Used> {
        used(self.child.id().context("the program has ended")?)
    }
}

/// What a process used until now.
pub(super) fn used(pid: u32) -> Result<Used> {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}"));
    let mut cpu = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.file_name();
        // Threads that end in between take their share with them; these programs keep theirs.
        if let Ok(text) = read(&format!("task/{}/schedstat", task.display())) {
            let nanos = text.split(' ').next().and_then(|n| n.parse::<u64>().ok());
            cpu += nanos.unwrap_or(0);
        }
    }
    let status = read("status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of some minutes")]
    Ok(Used {
        cpu: cpu as f64 / 1e9,
        resident: kibibytes.context("no VmRSS")? * 1_024,
    })
}
