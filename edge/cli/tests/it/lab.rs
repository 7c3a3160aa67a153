//! A lab in a process of its own, and kubectl against it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// How long anything may take to become true.
const LIMIT: Duration = Duration::from_secs(90);
/// The longest one kubectl may run.
const KUBECTL_SECONDS: &str = "60";

/// A lab that ends with the test.
pub(crate) struct Lab {
    child: Child,
    pub(crate) folder: TempDir,
}

impl Lab {
    /// A lab with flags; `--secure-port 0` and `--kubeconfig` are always given.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = own(folder.path(), flags);
        Self { child, folder }
    }

    /// Nodes of a lab that join another's control plane.
    pub(crate) fn join(control_plane: &Path, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(&["--control-plane"]);
        command.arg(control_plane).args(flags);
        let child = spawn(
            folder.path(),
            command,
            "evenkeel lab has joined https://127.",
        );
        std::fs::copy(control_plane, folder.path().join("kubeconfig")).unwrap();
        Self { child, folder }
    }

    /// A lab with short periods: what the exercise shows in minutes, it shows in seconds.
    pub(crate) fn quick() -> Self {
        Self::start(&[
            "--horizontal-pod-autoscaler-sync-period=2s",
            "--horizontal-pod-autoscaler-downscale-stabilization=10s",
            "--metric-resolution=2s",
        ])
    }

    /// Asks it to end, and waits until it has: it takes its pods and their control groups along.
    pub(crate) fn end(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        let mut ends = || self.child.try_wait().unwrap().is_some();
        assert!(eventually(&mut ends), "the lab does not end");
    }

    /// A new lab on the folder of one that was killed.
    pub(crate) fn restart(&mut self, flags: &[&str]) {
        self.child = own(self.folder.path(), flags);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// A kubectl of this lab.
    pub(crate) fn kubectl(&self, program: &Path) -> Kubectl {
        Kubectl::new(program, self.kubeconfig(), self.folder.path())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(first: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    command.arg("lab").args(first);
    command
}

fn own(folder: &Path, flags: &[&str]) -> Child {
    let mut command = command(&["--secure-port", "0", "--kubeconfig"]);
    command.arg(folder.join("kubeconfig")).args(flags);
    spawn(folder, command, "is ready at https://127.0.0.1:")
}

/// Starts a lab that says what is `expected` when it is there.
fn spawn(folder: &Path, mut command: Command, expected: &str) -> Child {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("lab.log"));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(log.unwrap())
        .spawn()
        .expect("the lab must start");
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let log = || std::fs::read_to_string(folder.join("lab.log")).unwrap_or_default();
    assert!(line.contains(expected), "the lab said {line:?}, {}", log());
    child
}

/// A kubectl with its kubeconfig.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    /// One with a kubeconfig, whose caches are in `home`.
    pub(crate) fn new(program: &Path, kubeconfig: PathBuf, home: &Path) -> Self {
        Self {
            program: program.to_owned(),
            kubeconfig,
            home: home.to_owned(),
        }
    }

    /// One that shows a token and no certificate.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        let kubeconfig = self.home.join("kubeconfig-with-token");
        std::fs::copy(&self.kubeconfig, &kubeconfig).unwrap();
        let other = Self {
            kubeconfig,
            ..self.clone()
        };
        other.ok(&["config", "unset", "users"]);
        other.ok(&["config", "set-credentials", "owner", "--token", token]);
        other.ok(&["config", "set-context", "--current", "--user=owner"]);
        other
    }

    /// A command to add to; it is ended after a minute.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        // In a process group of its own it would be stopped when it asks a terminal for anything.
        command
            .args(["--foreground", KUBECTL_SECONDS])
            .arg(&self.program)
            .args(arguments);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home)
            .env_remove("DEBUG");
        command
    }

    /// Runs to the end, whatever the exit code.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("kubectl must run")
    }

    /// What it prints when all is well.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "kubectl {}: {errors}",
            arguments.join(" ")
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it prints on stderr when it fails.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(
            !output.status.success(),
            "kubectl {} must fail",
            arguments.join(" ")
        );
        String::from_utf8(output.stderr).unwrap()
    }

    /// `apply -f -` with a manifest.
    #[track_caller]
    pub(crate) fn apply(&self, manifest: &str) -> String {
        let output = self.with_input(&["apply", "-f", "-"], manifest);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl apply: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs with text on its standard input.
    pub(crate) fn with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl must run");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// Waits until a command prints what `holds` likes.
    #[track_caller]
    pub(crate) fn until(&self, arguments: &[&str], holds: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let wanted = || {
            let output = self.output(arguments);
            last = String::from_utf8_lossy(&output.stdout).into_owned();
            output.status.success() && holds(&last)
        };
        assert!(
            eventually(wanted),
            "kubectl {}: never as wanted, last:\n{last}",
            arguments.join(" ")
        );
        last
    }
}

/// Lets other processes go on.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime here to block"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Whether something becomes true within the limit.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        pause(Duration::from_millis(200));
    }
    false
}

/// The manifests of the exercise.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/eks-hpa")
        .canonicalize()
        .unwrap()
}
