//! `evenkeel pod-init`: the process between the node and a container's program.
//!
//! It makes the files that the program sees, starts it, collects every process that the program
//! leaves behind, and takes all of them along when the program ends or the node dies, however it
//! dies: the node holds the other end of a FIFO. It knows nothing of Kubernetes.
//!
//! It stays outside of the container's control groups and user, so that limits are the program's.

use anyhow::Context;
use spec::{LaunchSpec, Report, View};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

pub mod spec;
mod supervise;
mod view;

/// Runs a spec file to its end. Errors go to the node as a report, so nothing is printed.
pub fn main(spec_path: &Path) -> ExitCode {
    match run(spec_path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(spec_path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(spec_path)?;
    // The file has the environment, secrets included: it has been read, it goes.
    drop(std::fs::remove_file(spec_path));
    let spec: LaunchSpec = serde_json::from_str(&text)?;
    let control = supervise::open_control(&spec.control)?;
    let mut report = supervise::open_report(&spec.report)?;
    let started = start(&spec);
    match started {
        Ok(child) => {
            let pid = i32::try_from(child.id()).unwrap_or_default();
            say(&mut report, &Report::Started { pid });
            let exit = supervise::run(pid, control)?;
            say(&mut report, &exit);
            Ok(())
        }
        Err(error) => {
            say(
                &mut report,
                &Report::Failed {
                    message: format!("{error:#}"),
                },
            );
            Err(error)
        }
    }
}

/// A node that no longer listens is noticed at the control FIFO, not here.
fn say(report: &mut File, what: &Report) {
    if let Ok(mut line) = serde_json::to_vec(what) {
        line.push(b'\n');
        drop(report.write_all(&line));
    }
}

fn start(spec: &LaunchSpec) -> anyhow::Result<Child> {
    rustix::process::setsid().context("cannot begin a session")?;
    let this = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(this)).context("cannot adopt orphans")?;
    let terminal = spec.terminal.as_deref().map(open_terminal).transpose()?;
    for cgroup in &spec.cgroups {
        join(&cgroup.join)
            .with_context(|| format!("cannot enter the control group {}", cgroup.join.display()))?;
    }
    let child = prepare(spec).and_then(|()| spawn(spec, terminal));
    for cgroup in &spec.cgroups {
        // After a private root is made, the path may be gone; then the supervisor stays inside,
        // which costs the container a megabyte of its limit and nothing else.
        drop(join(&cgroup.leave));
    }
    child
}

fn prepare(spec: &LaunchSpec) -> anyhow::Result<()> {
    match &spec.view {
        View::Host => Ok(()),
        View::New(view) => view::make(view),
        View::Join {
            pid,
            user_namespace,
        } => view::join(*pid, *user_namespace),
    }
}

fn join(procs: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(procs)?.write_all(b"0")
}

fn open_terminal(path: &Path) -> anyhow::Result<File> {
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open the terminal {}", path.display()))?;
    rustix::process::ioctl_tiocsctty(&terminal).context("cannot take the terminal")?;
    Ok(terminal)
}

fn spawn(spec: &LaunchSpec, terminal: Option<File>) -> anyhow::Result<Child> {
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .env_clear()
        .envs(spec.env.iter().map(|(k, v)| (k, v)));
    if let Some(name) = &spec.name {
        command.arg0(name);
    }
    match terminal {
        // The program shares the supervisor's process group: it must be the terminal's foreground
        // group from its first instruction.
        Some(terminal) => {
            let (input, output) = (terminal.try_clone()?, terminal.try_clone()?);
            command
                .stdin(Stdio::from(input))
                .stdout(Stdio::from(output))
                .stderr(terminal);
        }
        None => {
            command.process_group(0);
        }
    }
    if let Some(workdir) = &spec.workdir {
        enter_workdir(&mut command, workdir, matches!(spec.view, View::New(_)))?;
    }
    if rustix::process::geteuid().is_root() && !has_user_namespace(&spec.view) {
        if let Some(group) = spec.group {
            command.gid(group);
        }
        if let Some(user) = spec.user {
            command.uid(user);
        }
    }
    command
        .spawn()
        .map_err(|error| anyhow::anyhow!("{}", exec_error(&spec.program, &error)))
}

fn has_user_namespace(view: &View) -> bool {
    match view {
        View::Host => false,
        View::New(view) => view.user_namespace,
        View::Join { user_namespace, .. } => *user_namespace,
    }
}

/// A working directory that is missing is made, as container runtimes do, where it is the pod's own.
fn enter_workdir(command: &mut Command, workdir: &str, private: bool) -> anyhow::Result<()> {
    if private && !Path::new(workdir).exists() {
        drop(std::fs::create_dir_all(workdir));
    }
    anyhow::ensure!(
        Path::new(workdir).is_dir(),
        "chdir to cwd (\"{workdir}\") set in the container's workingDir failed: no such file or directory"
    );
    command.current_dir(workdir);
    Ok(())
}

/// The words of runc, which people search for.
fn exec_error(program: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound if program.contains('/') => {
            format!("exec: \"{program}\": stat {program}: no such file or directory")
        }
        std::io::ErrorKind::NotFound => {
            format!("exec: \"{program}\": executable file not found in $PATH")
        }
        std::io::ErrorKind::PermissionDenied => format!("exec: \"{program}\": permission denied"),
        _ => format!("exec: \"{program}\": {error}"),
    }
}
