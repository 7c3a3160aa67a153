//! Starting programs: the node's side of `pod-init`.
//!
//! [`Launcher::launch`] returns when the program runs or could not be started. Dropping a
//! [`Running`] kills the program and everything it started: so does the node's own death.

use crate::pod_init::spec::{CgroupEntry, Command as Order, LaunchSpec, Report, View};
use crate::terminal::Terminal;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};

/// How long starting a program may take: namespaces and a dozen mounts, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, or 128 + the signal's number.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// A path, or a name to look up in `PATH`.
    pub program: String,
    /// What it sees as its own name, where it differs.
    pub name: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its working directory.
    pub workdir: Option<String>,
    /// User id, with root.
    pub user: Option<u32>,
    /// Group id, with root.
    pub group: Option<u32>,
    /// Whether it gets a terminal.
    pub terminal: bool,
    /// Whether Ctrl-Z stops its foreground program; without job control nobody would continue it.
    pub suspend: bool,
    /// Whether its standard input is a pipe, not the null device.
    pub stdin: bool,
    /// Control groups to run in.
    pub cgroups: Vec<CgroupEntry>,
    /// The files that it sees.
    pub view: View,
}

/// Starts programs by way of the `evenkeel` binary's `pod-init`.
#[derive(Debug, Clone)]
pub struct Launcher {
    executable: PathBuf,
    directory: PathBuf,
    counter: Arc<AtomicU64>,
}

/// The program's standard streams.
#[derive(Debug)]
pub enum Streams {
    /// Pipes.
    Pipes {
        /// Standard input, where asked for.
        stdin: Option<ChildStdin>,
        /// Standard output.
        stdout: ChildStdout,
        /// Standard error.
        stderr: ChildStderr,
    },
    /// A terminal, which is all three.
    Terminal(Terminal),
}

/// A running program.
#[derive(Debug)]
pub struct Running {
    /// The program's process id.
    pub pid: i32,
    /// The supervisor's, parent of everything that the program starts.
    pub supervisor: i32,
    /// Orders to the supervisor; closing it kills.
    orders: mpsc::Sender<Order>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Running {
    /// Sends a signal to the program itself, as container runtimes do.
    pub fn signal(&self, number: i32) {
        let _ = self.orders.try_send(Order::Signal(number));
    }

    /// Kills the program and everything it started.
    pub fn kill(&self) {
        let _ = self.orders.try_send(Order::Kill);
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits for its end, and for the end of all it started.
    pub fn wait(&self) -> impl Future<Output = Exit> + Send + 'static {
        let mut exit = self.exit.clone();
        async move {
            let ended = exit.wait_for(Option::is_some).await;
            ended.ok().and_then(|e| *e).unwrap_or(Exit {
                code: 137,
                signal: Some(9),
            })
        }
    }
}

impl Launcher {
    /// A launcher that keeps its FIFOs in `directory`, which it makes and empties.
    pub fn new(executable: PathBuf, directory: PathBuf) -> std::io::Result<Self> {
        drop(std::fs::remove_dir_all(&directory));
        std::fs::create_dir_all(&directory)?;
        std::fs::set_permissions(
            &directory,
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )?;
        Ok(Self {
            executable,
            directory,
            counter: Arc::default(),
        })
    }

    /// The binary that is started.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Starts a program. The error is a sentence for people.
    pub async fn launch(&self, program: Program) -> Result<(Running, Streams), String> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let files = Files::new(&self.directory.join(number.to_string()));
        let result = self.launch_with(program, &files).await;
        files.remove();
        result
    }

    async fn launch_with(
        &self,
        program: Program,
        files: &Files,
    ) -> Result<(Running, Streams), String> {
        let terminal = program.terminal.then(Terminal::open).transpose();
        let terminal = terminal.map_err(|e| format!("cannot open a terminal: {e}"))?;
        if let Some(terminal) = terminal.as_ref().filter(|_| !program.suspend) {
            terminal.without_suspend();
        }
        let (control, report) = files
            .make()
            .map_err(|e| format!("cannot make a FIFO: {e}"))?;
        let stdin = program.stdin;
        let spec = launch_spec(program, terminal.as_ref(), files);
        files
            .write_spec(&spec)
            .map_err(|e| format!("cannot write {}: {e}", files.spec.display()))?;
        let mut child = self
            .command(files, stdin, terminal.is_some())
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", self.executable.display()))?;
        let streams = streams(&mut child, terminal)?;
        let supervisor = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .unwrap_or_default();
        let mut reports = BufReader::new(report).lines();
        let pid = tokio::select! {
            first = tokio::time::timeout(START_TIMEOUT, reports.next_line()) => first_report(first)?,
            _ = child.wait() => match tokio::time::timeout(Duration::from_millis(50), reports.next_line()).await {
                Ok(line) => first_report(Ok(line))?,
                Err(_) => return Err("pod-init ended without a word".to_owned()),
            }
        };
        let (orders, received) = mpsc::channel(16);
        let (tell, exit) = watch::channel(None);
        tokio::spawn(follow(child, control, reports, received, tell));
        Ok((
            Running {
                pid,
                supervisor,
                orders,
                exit,
            },
            streams,
        ))
    }

    fn command(&self, files: &Files, stdin: bool, terminal: bool) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.executable);
        command.arg("pod-init").arg("--spec").arg(&files.spec);
        let output = || {
            if terminal {
                Stdio::null()
            } else {
                Stdio::piped()
            }
        };
        command.stdin(if stdin && !terminal {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        command.stdout(output()).stderr(output());
        command
    }
}

/// The supervisor takes its own end from the end of the FIFO, so nothing is killed by process id
/// here.
async fn follow(
    mut child: Child,
    control: pipe::Sender,
    mut reports: tokio::io::Lines<BufReader<pipe::Receiver>>,
    mut orders: mpsc::Receiver<Order>,
    tell: watch::Sender<Option<Exit>>,
) {
    use tokio::io::AsyncWriteExt;
    let mut control = Some(control);
    let mut exit = None;
    loop {
        tokio::select! {
            line = reports.next_line() => {
                if let Ok(Some(line)) = line
                    && let Ok(Report::Exited { code, signal }) = serde_json::from_str(&line)
                {
                    exit = Some(Exit { code, signal });
                }
            }
            order = orders.recv(), if control.is_some() => match (order, &mut control) {
                (Some(order), Some(pipe)) => drop(pipe.write_all(order.line().as_bytes()).await),
                _ => control = None,
            },
            _ = child.wait() => break,
        }
    }
    if exit.is_none()
        && let Ok(Ok(Some(line))) =
            tokio::time::timeout(Duration::from_millis(20), reports.next_line()).await
        && let Ok(Report::Exited { code, signal }) = serde_json::from_str(&line)
    {
        exit = Some(Exit { code, signal });
    }
    tell.send_replace(Some(exit.unwrap_or(Exit {
        code: 137,
        signal: Some(9),
    })));
}

fn first_report(
    line: Result<std::io::Result<Option<String>>, tokio::time::error::Elapsed>,
) -> Result<i32, String> {
    let line = match line {
        Ok(Ok(Some(line))) => line,
        Ok(_) => return Err("pod-init ended without a word".to_owned()),
        Err(_) => {
            return Err(format!(
                "the program did not start within {START_TIMEOUT:?}"
            ));
        }
    };
    match serde_json::from_str(&line) {
        Ok(Report::Started { pid }) => Ok(pid),
        Ok(Report::Failed { message }) => Err(message),
        _ => Err(format!("pod-init said {line:?}")),
    }
}

fn streams(child: &mut Child, terminal: Option<Terminal>) -> Result<Streams, String> {
    if let Some(terminal) = terminal {
        return Ok(Streams::Terminal(terminal));
    }
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("pod-init has no output pipes".to_owned());
    };
    Ok(Streams::Pipes {
        stdin: child.stdin.take(),
        stdout,
        stderr,
    })
}

fn launch_spec(program: Program, terminal: Option<&Terminal>, files: &Files) -> LaunchSpec {
    LaunchSpec {
        program: program.program,
        name: program.name,
        args: program.args,
        env: program.env,
        workdir: program.workdir,
        user: program.user,
        group: program.group,
        terminal: terminal.map(|t| t.device().to_owned()),
        cgroups: program.cgroups,
        view: program.view,
        control: files.control.clone(),
        report: files.report.clone(),
    }
}

/// The files of one launch. The FIFOs' names go as soon as both sides have them open.
#[derive(Debug)]
struct Files {
    spec: PathBuf,
    control: PathBuf,
    report: PathBuf,
}

impl Files {
    fn new(stem: &Path) -> Self {
        Self {
            spec: stem.with_extension("json"),
            control: stem.with_extension("control"),
            report: stem.with_extension("report"),
        }
    }

    /// Both FIFOs are opened for reading and writing: neither open waits, and the node's death closes
    /// the only writer of `control`.
    fn make(&self) -> std::io::Result<(pipe::Sender, pipe::Receiver)> {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        for fifo in [&self.control, &self.report] {
            mknodat(CWD, fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        }
        let mut options = pipe::OpenOptions::new();
        options.read_write(true);
        Ok((
            options.open_sender(&self.control)?,
            options.open_receiver(&self.report)?,
        ))
    }

    fn write_spec(&self, spec: &LaunchSpec) -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.spec)?;
        file.write_all(&serde_json::to_vec(spec)?)
    }

    fn remove(&self) {
        for file in [&self.spec, &self.control, &self.report] {
            drop(std::fs::remove_file(file));
        }
    }
}
