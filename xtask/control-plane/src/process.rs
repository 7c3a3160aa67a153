//! One part's process: started so that it outlives this program, found again, ended.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a part may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long a program may take to take its process over.
const BEGUN_IN: Duration = Duration::from_secs(5);
/// How long the kernel may take to end it.
const KILLED_IN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Starts a program with its output in a file, in a process group of its own: Ctrl-C at a terminal is not for it.
pub(crate) fn start(binary: &Path, arguments: &[String], log: &Path) -> Result<Child> {
    let output = File::options().create(true).append(true).open(log);
    let output = output.with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = Command::new(binary)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    // The kernel lets us go on a moment before the new program's words can be read.
    let pid = child.id();
    let begun = || runs(pid, binary, arguments) || !matches!(child.try_wait(), Ok(None));
    within(BEGUN_IN, begun);
    Ok(child)
}

/// Whether the process is still the one that was started so: numbers are given again.
pub(crate) fn runs(pid: u32, binary: &Path, arguments: &[String]) -> bool {
    let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let program = binary.display().to_string();
    let words = std::iter::once(&program).chain(arguments);
    let expected: Vec<u8> = words
        .flat_map(|word| [word.as_bytes(), b"\0"].concat())
        .collect();
    line == expected
}

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It may finish what it does.
    Asked,
    /// At once: what it holds is thrown away.
    Killed,
}

/// Ends a process for which `runs` holds, and waits until it has ended.
pub(crate) fn end(pid: u32, how: How, runs: impl Fn() -> bool) -> Result<()> {
    if how == How::Asked {
        signal(pid, Signal::TERM)?;
        // One that was stopped hears it when it goes on.
        signal(pid, Signal::CONT)?;
        if within(GRACE, || !runs()) {
            return Ok(());
        }
    }
    signal(pid, Signal::KILL)?;
    if !within(KILLED_IN, || !runs()) {
        bail!("process {pid} does not end");
    }
    Ok(())
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let id = id.with_context(|| format!("{pid} is no process number"))?;
    match kill_process(id, signal) {
        // It has ended meanwhile.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        done => done.with_context(|| format!("cannot end process {pid}")),
    }
}

fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !holds() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

#[cfg(test)]
mod tests;
