//! One of our programs as a process that shows the token of a service account.

use crate::lab::{Kubectl, eventually};
use serde_json::Value;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// It ends with the test.
pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
    folder: PathBuf,
}

/// A port that nobody has just now.
pub(super) fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap().port()
}

impl Process {
    /// Whoever is started in the same folder again writes on in the same files.
    pub(super) fn start(folder: &Path, port: u16, arguments: &[&str]) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .args(arguments)
            .args(["--bind-address=127.0.0.1", "--kubeconfig"])
            .arg(folder.join("kubeconfig-with-token"))
            .arg(format!("--secure-port={port}"))
            // What a real pod would not wait for, either.
            .env("EVENKEEL_METRIC_RESOLUTION", "2s")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            port,
            folder: folder.to_owned(),
        }
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Waits until the log has a text.
    #[track_caller]
    pub(super) fn says(&self, text: &str) {
        let said = eventually(|| self.log().contains(text));
        assert!(said, "{text} is not in\n{}", self.log());
    }

    /// Waits until its log has more of it than now.
    #[track_caller]
    pub(super) fn says_again(&self, text: &str) {
        let said = || self.log().matches(text).count();
        let before = said();
        assert!(eventually(|| said() > before), "{text}: {before} times");
    }

    /// A controller's, with `--decision-log`.
    pub(super) fn decisions(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("decisions"));
        let text = text.unwrap_or_default();
        // The last line may be half written.
        let lines = text.lines().filter_map(|l| serde_json::from_str(l).ok());
        lines.collect()
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it directly, with what that kubectl shows.
    pub(super) fn get(&self, kubectl: &Kubectl, path: &str) -> Output {
        let server = format!("--server=https://127.0.0.1:{}", self.port);
        kubectl.output(&["get", "--raw", path, &server, "--insecure-skip-tls-verify"])
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
