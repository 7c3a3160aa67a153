//! The EKS exercise on a real control plane, with whose HPA controller there is.

use super::plane::ControlPlane;
use crate::exercise;
use crate::lab::{Kubectl, Lab};
use crate::tools;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the exercise shows in minutes, these show in seconds.
const QUICK: [&str; 2] = [
    "--horizontal-pod-autoscaler-sync-period=2s",
    "--horizontal-pod-autoscaler-downscale-stabilization=10s",
];
const ACCOUNT: &str = "evenkeel-hpa-controller";

#[test]
fn the_exercise_works_on_a_real_control_plane_with_upstream_s_hpa_controller_and_with_ours() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let flags = QUICK.map(|flag| format!("--controller-manager-flag={flag}"));
    let Some(plane) = ControlPlane::start(&[&flags[0], &flags[1]]) else {
        return;
    };
    let lab = Lab::join(&plane.kubeconfig(), &["--metric-resolution=2s"]);
    let kubectl = lab.kubectl(&program);
    exercise::whole(&kubectl, &lab);

    plane.run(&[
        "restart",
        "kube-controller-manager",
        "--without=horizontal-pod-autoscaler-controller",
    ]);
    ours_as_a_process(&kubectl, &lab);
    all_of_ours_as_pods(&kubectl);
    lab.end();
}

/// A controller that ends with the test.
struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// With the shipped service account, and what the shipped roles allow it.
fn ours_as_a_process(kubectl: &Kubectl, lab: &Lab) {
    let shipped = shipped("hpa-controller/components.yaml");
    let roles: Vec<&str> = shipped
        .split("---\n")
        .filter(|object| !object.contains("kind: Deployment"))
        .collect();
    kubectl.apply(&roles.join("---\n"));
    let token = kubectl.ok(&["create", "token", ACCOUNT, "-n", "kube-system"]);
    kubectl.with_token(token.trim());
    let controller = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args([
            "hpa-controller",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
        ])
        .arg("--kubeconfig")
        .arg(lab.folder.path().join("kubeconfig-with-token"))
        .args(QUICK)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(lab.folder.path().join("hpa.log")).unwrap())
        .spawn();
    let controller = Controller(controller.unwrap());
    exercise::deploy_metrics_server(kubectl);
    up_and_down(kubectl);
    drop(controller);
    let log = std::fs::read_to_string(lab.folder.path().join("hpa.log")).unwrap();
    assert!(!log.contains("forbidden"), "{log}");
}

/// deploy/evenkeel.yaml: metrics-server's place and the controller's, run by upstream's Deployment controller.
fn all_of_ours_as_pods(kubectl: &Kubectl) {
    let flags = QUICK.map(|flag| format!("\n        - {flag}"));
    let asked = format!("- --leader-elect=true{}", flags.concat());
    let all = shipped("evenkeel.yaml").replace("- --leader-elect=true", &asked);
    kubectl.apply(&all);
    kubectl.ok(&[
        "rollout",
        "status",
        "-n",
        "kube-system",
        "deployment/metrics-server",
    ]);
    let ours = format!("deployment/{ACCOUNT}");
    kubectl.ok(&["rollout", "status", "-n", "kube-system", &ours]);
    up_and_down(kubectl);
    let deleted = kubectl.with_input(&["delete", "-f", "-"], &all);
    assert!(deleted.status.success(), "{deleted:?}");
    kubectl.until(&["get", "pods", "-A"], |out| out.trim().is_empty());
}

fn up_and_down(kubectl: &Kubectl) {
    exercise::deploy_application(kubectl);
    exercise::scale_under_load_and_back(kubectl);
    kubectl.ok(&["delete", "namespace", "eks-work"]);
}

fn shipped(file: &str) -> String {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(deploy.join(file)).unwrap()
}
