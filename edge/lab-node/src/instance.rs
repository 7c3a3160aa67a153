//! One running instance of a container: its process, its log, its streams.

use crate::cgroup::Cgroup;
use crate::logs::{Lines, Log, Stream};
use crate::pod_init::spec::View;
use crate::proc::ProcessUsage;
use crate::process::{Exit, Launcher, Program, Running, Streams};
use crate::terminal::Terminal;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, broadcast};
use tokio::task::JoinSet;

/// Output kept for attached clients that are slow.
const ATTACH_BACKLOG: usize = 256;
/// How much a probe's or a hook's output may say. Upstream: maxReadLength (pkg/probe/exec).
const OUTPUT_MAX: u64 = 10 * 1024;
/// How long output may still come after the last process has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecOutput {
    /// It ended.
    Ended {
        /// Its exit code.
        code: i32,
        /// What it printed, both streams together.
        output: String,
    },
    /// It took too long, and was killed.
    TimedOut,
    /// It did not start.
    Failed(String),
}

/// A container instance.
#[derive(Debug)]
pub struct Instance {
    /// `evenkeel://…`
    pub id: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Its processes.
    pub running: Running,
    /// What it prints.
    pub log: Log,
    /// Its terminal, if it has one.
    pub terminal: Option<Terminal>,
    /// Its standard input, if it has one; taken by whoever closes it.
    pub stdin: Mutex<Option<ChildStdin>>,
    /// What it prints, for attached clients.
    pub output: broadcast::Sender<(Stream, Bytes)>,
    /// How to start more programs in it.
    pub program: Program,
    /// Starts them.
    pub launcher: Launcher,
    cgroup: Cgroup,
    /// The most CPU time that was told: it never becomes less.
    cpu_nanos: AtomicU64,
}

impl Instance {
    /// Takes over a program that has started.
    pub fn new(
        id: String,
        started_at: Timestamp,
        (running, streams): (Running, Streams),
        (program, launcher): (Program, Launcher),
        (log, cgroup): (Log, Cgroup),
    ) -> Arc<Self> {
        let (output, _) = broadcast::channel(ATTACH_BACKLOG);
        let mut readers = JoinSet::new();
        let sink = Sink {
            log: log.clone(),
            output: output.clone(),
        };
        let (terminal, stdin) = match streams {
            Streams::Pipes {
                stdin,
                stdout,
                stderr,
            } => {
                readers.spawn(sink.clone().read(Stream::Stdout, stdout));
                readers.spawn(sink.read(Stream::Stderr, stderr));
                (None, stdin)
            }
            Streams::Terminal(terminal) => {
                readers.spawn(sink.read_terminal(terminal.clone()));
                (Some(terminal), None)
            }
        };
        let ended = running.wait();
        let finished = log.clone();
        tokio::spawn(async move {
            ended.await;
            let drained = async { while readers.join_next().await.is_some() {} };
            drop(tokio::time::timeout(DRAIN, drained).await);
            finished.finish();
        });
        let stdin = Mutex::new(stdin);
        Arc::new(Self {
            id,
            started_at,
            running,
            log,
            terminal,
            stdin,
            output,
            program,
            launcher,
            cgroup,
            cpu_nanos: AtomicU64::new(0),
        })
    }

    /// What it has used so far.
    pub fn usage(&self) -> ProcessUsage {
        let usage = self.cgroup.usage(self.running.supervisor);
        let before = self.cpu_nanos.fetch_max(usage.cpu_nanos, Ordering::Relaxed);
        ProcessUsage {
            cpu_nanos: usage.cpu_nanos.max(before),
            ..usage
        }
    }

    /// Whether the kernel killed one of its processes for want of memory.
    pub fn out_of_memory(&self) -> bool {
        self.cgroup.out_of_memory()
    }

    /// Removes its control groups, once it has ended.
    pub fn clean_up(&self) {
        self.cgroup.remove();
    }

    /// Starts another program in the container, as `kubectl exec` does.
    pub async fn exec(
        &self,
        command: &[String],
        terminal: bool,
        stdin: bool,
    ) -> Result<(Running, Streams), String> {
        let (first, rest) = command
            .split_first()
            .ok_or("you must specify at least one command")?;
        let view = match &self.program.view {
            View::Host => View::Host,
            View::New(view) => View::Join {
                pid: self.running.pid,
                user_namespace: view.user_namespace,
            },
            View::Join { .. } => return Err("the container has no view of its own".to_owned()),
        };
        let mut program = Program {
            args: rest.to_vec(),
            terminal,
            suspend: true,
            stdin,
            view,
            ..self.program.clone()
        };
        program.name = None;
        program.program.clone_from(first);
        if terminal && !program.env.iter().any(|(name, _)| name == "TERM") {
            program.env.push(("TERM".to_owned(), "xterm".to_owned()));
        }
        self.launcher.launch(program).await
    }

    /// Runs a command to its end and collects what it prints.
    pub async fn exec_output(&self, command: &[String], limit: Duration) -> ExecOutput {
        let run = async {
            let (running, streams) = match self.exec(command, false, false).await {
                Ok(started) => started,
                Err(why) => return ExecOutput::Failed(why),
            };
            let Streams::Pipes { stdout, stderr, .. } = streams else {
                return ExecOutput::Failed("no pipes".to_owned());
            };
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let (mut stdout, mut stderr) = (stdout.take(OUTPUT_MAX), stderr.take(OUTPUT_MAX));
            drop(tokio::join!(
                stdout.read_to_end(&mut out),
                stderr.read_to_end(&mut err)
            ));
            // Whoever prints more gets a broken pipe, not a full one.
            drop((stdout, stderr));
            let Exit { code, .. } = running.wait().await;
            out.extend(err);
            ExecOutput::Ended {
                code,
                output: String::from_utf8_lossy(&out).into_owned(),
            }
        };
        tokio::time::timeout(limit, run)
            .await
            .unwrap_or(ExecOutput::TimedOut)
    }
}

/// Where output goes.
#[derive(Debug, Clone)]
struct Sink {
    log: Log,
    output: broadcast::Sender<(Stream, Bytes)>,
}

impl Sink {
    async fn read(self, stream: Stream, mut from: impl AsyncRead + Unpin) {
        let mut lines = Lines::default();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = from.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            self.take(stream, &mut lines, buffer.get(..read).unwrap_or_default());
        }
        self.end(stream, lines);
    }

    async fn read_terminal(self, terminal: Terminal) {
        let mut lines = Lines::default();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = terminal.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            self.take(
                Stream::Stdout,
                &mut lines,
                buffer.get(..read).unwrap_or_default(),
            );
        }
        self.end(Stream::Stdout, lines);
    }

    fn take(&self, stream: Stream, lines: &mut Lines, bytes: &[u8]) {
        // Nobody attached is no error.
        drop(self.output.send((stream, Bytes::copy_from_slice(bytes))));
        let now = runtime::clock::now();
        lines.push(bytes, |line, whole| {
            self.log.write(now, stream, line, whole);
        });
    }

    fn end(&self, stream: Stream, lines: Lines) {
        let now = runtime::clock::now();
        lines.finish(|line, whole| self.log.write(now, stream, line, whole));
    }
}
