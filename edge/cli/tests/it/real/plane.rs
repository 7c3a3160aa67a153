//! A control plane of a test's own, which ends with the test.

use crate::lab::{Kubectl, eventually};
use crate::tools;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// One at a time: each takes half a gigabyte, and a small machine's processors.
static ONE: Mutex<()> = Mutex::new(());

pub(crate) struct ControlPlane {
    program: PathBuf,
    folder: TempDir,
    up: Child,
    _turn: MutexGuard<'static, ()>,
}

impl ControlPlane {
    /// Starts one; `None` where this machine cannot.
    pub(crate) fn start(flags: &[&str]) -> Option<Self> {
        let program = tools::control_plane()?;
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        // It goes down when its standard input ends, even if this test is killed.
        let mut up = Command::new(&program)
            .args(["up", "--foreground", "--dir"])
            .arg(folder.path().join("state"))
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(up.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("KUBECONFIG="), "up said {line:?}");
        Some(Self {
            program,
            folder,
            up,
            _turn: turn,
        })
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The administrator's.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir().join("admin.conf")
    }

    /// A file of its certificates and keys.
    pub(crate) fn pki(&self, file: &str) -> PathBuf {
        self.dir().join("pki").join(file)
    }

    /// Sends a part's process a signal, such as `-STOP`.
    pub(crate) fn signal(&self, part: &str, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.pid(part)])
            .status();
        assert!(sent.unwrap().success());
    }

    /// `kill -9`, and waits until it has ended.
    pub(crate) fn kill(&self, part: &str) {
        let line = format!("/proc/{}/cmdline", self.pid(part));
        self.signal(part, "-KILL");
        // Until somebody has asked how it ended, the number stands for nothing.
        let ended = || std::fs::read(&line).map_or(true, |line| line.is_empty());
        assert!(eventually(ended), "{part} does not end");
    }

    fn pid(&self, part: &str) -> String {
        std::fs::read_to_string(self.dir().join(format!("{part}.pid"))).unwrap()
    }

    /// A kubectl of the administrator's.
    pub(crate) fn kubectl(&self, program: &Path) -> Kubectl {
        Kubectl::new(program, self.kubeconfig(), self.folder.path())
    }

    /// Another command, such as `restart kube-controller-manager`.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) {
        let output = command(&self.program, &self.dir(), arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", arguments.join(" "));
    }
}

fn command(program: &Path, dir: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(program);
    command.args(arguments).arg("--dir").arg(dir);
    command.output().unwrap()
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.up.stdin.take());
        let _ = self.up.wait();
    }
}
