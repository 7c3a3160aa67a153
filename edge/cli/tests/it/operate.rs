//! The HPA controller as operators run it: several processes of which one works, with probes, metrics and logs.

use crate::lab::{Kubectl, Lab, eventually};
use crate::tools;
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

const LEASE: [&str; 5] = [
    "get",
    "lease",
    "evenkeel-hpa-controller",
    "-n",
    "kube-system",
];

/// A controller of its own, which ends with the test.
struct Controller {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Controller {
    fn start(lab: &Lab, name: &str) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = lab.folder.path().join(format!("{name}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .args(["hpa-controller", "--bind-address=127.0.0.1"])
            .args(["--logging-format=json", "--kubeconfig"])
            .arg(lab.kubeconfig())
            .arg(format!("--secure-port={port}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, port, log }
    }

    fn get(&self, kubectl: &Kubectl, path: &str) -> std::process::Output {
        let server = format!("--server=https://127.0.0.1:{}", self.port);
        kubectl.output(&["get", "--raw", path, &server, "--insecure-skip-tls-verify"])
    }

    /// What it answers, once it answers with something that is `wanted`.
    #[track_caller]
    fn until(&self, kubectl: &Kubectl, path: &str, wanted: &str) -> String {
        let mut last = String::new();
        let holds = || {
            let output = self.get(kubectl, path);
            last = String::from_utf8_lossy(&output.stdout).into_owned();
            last.contains(wanted)
        };
        let log = || std::fs::read_to_string(&self.log).unwrap();
        assert!(eventually(holds), "{path}: {last}\n{}", log());
        last
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        let ends = || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        };
        assert!(eventually(ends), "it does not end");
        status.unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn leads(yes: u8) -> String {
    format!("leader_election_master_status{{name=\"evenkeel-hpa-controller\"}} {yes}\n")
}

fn holder(kubectl: &Kubectl) -> String {
    let mut arguments = LEASE.to_vec();
    arguments.extend(["-o", "jsonpath={.spec.holderIdentity}"]);
    kubectl.ok(&arguments)
}

#[test]
fn of_two_controllers_one_works_and_the_other_goes_on_when_it_is_killed_or_told_to_end() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    let mut one = Controller::start(&lab, "one");
    one.until(&kubectl, "/metrics", &leads(1));
    let first = holder(&kubectl);
    let two = Controller::start(&lab, "two");
    two.until(&kubectl, "/metrics", &leads(0));
    for controller in [&one, &two] {
        controller.until(&kubectl, "/readyz?verbose", "[+]leaderElection ok\n");
        controller.until(&kubectl, "/livez", "ok");
    }

    one.signal("-KILL");
    one.ended();
    two.until(&kubectl, "/metrics", &leads(1));
    let second = holder(&kubectl);
    assert_ne!(first, second);

    let three = Controller::start(&lab, "three");
    three.until(&kubectl, "/metrics", &leads(0));
    let mut two = two;
    two.signal("-TERM");
    assert!(two.ended().success());
    three.until(&kubectl, "/metrics", &leads(1));
    let mut arguments = LEASE.to_vec();
    arguments.extend(["-o", "jsonpath={.spec.leaseTransitions}"]);
    assert_eq!(kubectl.ok(&arguments), "2");
    let events = kubectl.ok(&["get", "events", "-n", "kube-system"]);
    let became = format!("{second} became leader");
    assert!(events.contains(&became), "{events}");

    let log = std::fs::read_to_string(&two.log).unwrap();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string());
    }
    assert!(log.contains("\"released the lease\""), "{log}");
}

#[test]
fn probes_are_for_everybody_and_metrics_for_who_may_see_them() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    let controller = Controller::start(&lab, "one");
    let text = controller.until(&kubectl, "/metrics", &leads(1));
    let kind = "# TYPE horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers gauge\n";
    assert!(text.contains(kind), "{text}");

    let token = kubectl.ok(&["create", "token", "default"]);
    let nobody = kubectl.with_token(token.trim());
    let output = controller.get(&nobody, "/metrics");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains(
            "User \"system:serviceaccount:default:default\" cannot get path \"/metrics\""
        ),
        "{error}"
    );
    assert!(controller.get(&nobody, "/livez").status.success());
}

#[test]
fn all_of_it_runs_from_one_manifest() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let everything = folder.join("evenkeel.yaml").display().to_string();
    kubectl.ok(&["apply", "-f", &everything]);
    for (deployment, replicas) in [("metrics-server", "1"), ("evenkeel-hpa-controller", "2")] {
        let available = "jsonpath={.status.availableReplicas}";
        let ask = [
            "get",
            "deployment",
            deployment,
            "-n",
            "kube-system",
            "-o",
            available,
        ];
        kubectl.until(&ask, |number| number == replicas);
    }
    kubectl.until(&LEASE, |line| line.contains('_'));
}
