//! The manifests of deploy/, applied as they are, and the program in a root with nothing else in it.

use crate::lab::{Lab, eventually};
use crate::tools;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn manifest(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/metrics-server");
    folder.join(name).display().to_string()
}

#[test]
fn metrics_server_from_its_manifest_serves_the_metrics_api() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    let dry = kubectl.ok(&[
        "apply",
        "--dry-run=server",
        "-f",
        &manifest("high-availability.yaml"),
    ]);
    assert_eq!(dry.lines().count(), 10, "{dry}");
    let applied = kubectl.ok(&["apply", "-f", &manifest("components.yaml")]);
    assert_eq!(applied.matches(" created\n").count(), 9, "{applied}");
    let available = "jsonpath={.status.conditions[?(@.type==\"Available\")].status}";
    kubectl.until(
        &[
            "get",
            "apiservice",
            "v1beta1.metrics.k8s.io",
            "-o",
            available,
        ],
        |status| status == "True",
    );
    kubectl.until(&["top", "nodes"], |table| table.contains("CPU(cores)"));
}

#[test]
fn metrics_server_says_its_version_as_upstream_does() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    let said = command.args(["metrics-server", "--version"]).output();
    let expected = format!("v{}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(said.unwrap().stdout, expected.as_bytes());
}

/// A folder with the program at its root and, where that is not static, the libraries it names.
fn empty_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_evenkeel"));
    std::fs::copy(program, root.path().join("evenkeel")).unwrap();
    let listed = Command::new("ldd").arg(program).output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let libraries = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for library in libraries.map(PathBuf::from) {
        let inside = root.path().join(library.strip_prefix("/").unwrap());
        std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
        std::fs::copy(&library, inside).unwrap();
    }
    root
}

/// `unshare` lets those without rights change their root, where the machine allows that.
fn inside(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--root"])
        .arg(root)
        .arg("/evenkeel")
        .args(arguments);
    command
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_program_needs_nothing_else_in_its_root() {
    let root = empty_root();
    let said = inside(root.path(), &["version"]).output();
    let Some(said) = said.ok().filter(|said| said.status.success()) else {
        tools::leave_out("the program in an empty root: this machine forbids to change the root");
        return;
    };
    assert!(said.stdout.starts_with(b"evenkeel "), "{said:?}");

    // As in a cluster, the authority is given: an empty root has none of its own.
    let names = vec!["localhost".to_owned()];
    runtime::certs::Identity::load_or_create(root.path(), "authority", names).unwrap();
    let kubeconfig = "\
clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1', certificate-authority: /authority.crt}}]
users: [{name: a, user: {}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
";
    std::fs::write(root.path().join("kubeconfig"), kubeconfig).unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let port = format!("--secure-port={}", address.port());
    let log = std::fs::File::create(root.path().join("log")).unwrap();
    let server = inside(
        root.path(),
        &[
            "metrics-server",
            "--kubeconfig=/kubeconfig",
            "--bind-address=127.0.0.1",
            // Not a folder, as nobody can write into a root that is read-only.
            "--cert-dir=/evenkeel/none",
            &port,
        ],
    )
    .stdout(Stdio::null())
    .stderr(log)
    .spawn();
    let _server = Running(server.unwrap());
    let serves = eventually(|| TcpStream::connect(address).is_ok());
    let log = std::fs::read_to_string(root.path().join("log")).unwrap();
    assert!(serves, "it does not listen: {log}");
}
