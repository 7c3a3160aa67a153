//! Watching over one program: signals for it, its orphans, its end, and the node's.

use super::spec::{Command, Report};
use anyhow::Context;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

/// Rounds of killing before giving up on a process that cannot die (in uninterruptible sleep).
const KILL_ROUNDS: u32 = 400;
/// Signals that the terminal sends to its foreground group, which the supervisor belongs to.
const TERMINAL_SIGNALS: [SignalKind; 3] = [
    SignalKind::interrupt(),
    SignalKind::quit(),
    SignalKind::from_raw(Signal::TSTP.as_raw()),
];

/// The control FIFO, opened before the file system changes.
#[derive(Debug)]
pub(super) struct Control(std::fs::File);

/// Opens the control FIFO without waiting for its writer.
pub(super) fn open_control(path: &Path) -> anyhow::Result<Control> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open(path, flags, Mode::empty())
        .with_context(|| format!("cannot open {}", path.display()))?;
    Ok(Control(std::fs::File::from(fd)))
}

/// Opens the report FIFO. A node that has died meanwhile is an error: nobody else would ever open
/// the other end, and a waiting open would keep this process for ever.
pub(super) fn open_report(path: &Path) -> anyhow::Result<std::fs::File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open(path, flags, Mode::empty())
        .with_context(|| format!("cannot open {}", path.display()))?;
    Ok(std::fs::File::from(fd))
}

/// Runs until the program `pid` and all it started are gone; says how the program ended.
pub(super) fn run(pid: i32, control: Control) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let main = Pid::from_raw(pid).context("the program has no process id")?;
    runtime.block_on(watch(main, control))
}

async fn watch(main: Pid, control: Control) -> anyhow::Result<Report> {
    let mut children = signal(SignalKind::child())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let ignored: Vec<_> = TERMINAL_SIGNALS.into_iter().map(signal).collect();
    let receiver = pipe::Receiver::from_file(control.0)?;
    let mut commands = BufReader::new(receiver).lines();
    let mut ended = reap(main);
    while ended.is_none() {
        tokio::select! {
            _ = children.recv() => ended = reap(main),
            line = commands.next_line() => match line {
                Ok(Some(line)) => obey(&line, main),
                Ok(None) | Err(_) => ended = Some(kill_all(main).await),
            },
            // The terminal has gone, or somebody wants this container gone.
            _ = hangup.recv() => ended = Some(kill_all(main).await),
            _ = terminate.recv() => send(main, Signal::TERM),
        }
    }
    drop(ignored);
    kill_all(main).await;
    Ok(ended.unwrap_or(Report::Exited {
        code: 137,
        signal: Some(9),
    }))
}

fn obey(line: &str, main: Pid) {
    match Command::parse(line) {
        Some(Command::Signal(number)) => {
            if let Some(signal) = Signal::from_named_raw(number) {
                send(main, signal);
            }
        }
        Some(Command::Kill) => kill_descendants(),
        None => {}
    }
}

/// The program may have just ended; then there is nothing to signal.
fn send(to: Pid, signal: Signal) {
    let _ = rustix::process::kill_process(to, signal);
}

/// Kills until no child is left. The program's own end is remembered if it comes here.
async fn kill_all(main: Pid) -> Report {
    let mut end = Report::Exited {
        code: 137,
        signal: Some(9),
    };
    for _ in 0..KILL_ROUNDS {
        kill_descendants();
        let (ended, children_left) = reap_all(main);
        end = ended.unwrap_or(end);
        if !children_left {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    end
}

fn reap(main: Pid) -> Option<Report> {
    reap_all(main).0
}

/// Collects every ended child; tells how the program ended if it is among them, and whether any
/// child is left.
fn reap_all(main: Pid) -> (Option<Report>, bool) {
    let mut end = None;
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                if pid == main && (status.exited() || status.signaled()) {
                    end = Some(exited(status));
                }
            }
            Ok(None) => return (end, true),
            Err(_) => return (end, false),
        }
    }
}

fn exited(status: WaitStatus) -> Report {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Report::Exited { code, signal: None },
        (None, Some(signal)) => Report::Exited {
            code: 128 + signal,
            signal: Some(signal),
        },
        (None, None) => Report::Exited {
            code: 255,
            signal: None,
        },
    }
}

fn kill_descendants() {
    let mut found = vec![rustix::process::getpid()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        for child in crate::proc::children(parent.as_raw_nonzero().get()) {
            if let Some(pid) = Pid::from_raw(child)
                && !found.contains(&pid)
            {
                found.push(pid);
            }
        }
    }
    for pid in found.into_iter().skip(1) {
        send(pid, Signal::KILL);
    }
}
