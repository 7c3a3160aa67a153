//! The EKS exercise from its first line to its last, with the exercise's own manifests.

use crate::lab::{Kubectl, Lab, examples};
use crate::tools;
use std::path::{Path, PathBuf};

fn seed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/seed")
}

fn apply_file(kubectl: &Kubectl, file: &Path) -> String {
    kubectl.ok(&["apply", "-f", &file.display().to_string()])
}

#[test]
fn the_whole_exercise_works() {
    for program in tools::kubectls() {
        let lab = Lab::quick();
        whole(&lab.kubectl(&program), &lab);
    }
}

/// From the first line to the last.
pub(crate) fn whole(kubectl: &Kubectl, lab: &Lab) {
    deploy_metrics_server(kubectl);
    deploy_application(kubectl);
    scale_under_load_and_back(kubectl);
    what_people_look_at(kubectl);
    delete_everything(kubectl, lab);
}

const NINE_LINES: &str = "\
serviceaccount/metrics-server created
clusterrole.rbac.authorization.k8s.io/system:aggregated-metrics-reader created
clusterrole.rbac.authorization.k8s.io/system:metrics-server created
rolebinding.rbac.authorization.k8s.io/metrics-server-auth-reader created
clusterrolebinding.rbac.authorization.k8s.io/metrics-server:system:auth-delegator created
clusterrolebinding.rbac.authorization.k8s.io/system:metrics-server created
service/metrics-server created
deployment.apps/metrics-server created
apiservice.apiregistration.k8s.io/v1beta1.metrics.k8s.io created
";

pub(crate) fn deploy_metrics_server(kubectl: &Kubectl) {
    assert_eq!(
        apply_file(kubectl, &seed().join("components.yaml")),
        NINE_LINES
    );
    let yaml = kubectl.until(
        &["get", "apiservice", "v1beta1.metrics.k8s.io", "-o", "yaml"],
        |yaml| yaml.contains("reason: Passed"),
    );
    assert!(yaml.contains("message: all checks passed"), "{yaml}");
    assert!(yaml.contains("status: \"True\""), "{yaml}");
    let again = apply_file(kubectl, &seed().join("components.yaml"));
    // kubectl sends a patch of `$retainKeys` alone for the Deployment's strategy, which changes
    // nothing, and calls that "configured".
    let again = again.replace("metrics-server configured", "metrics-server unchanged");
    assert_eq!(again, NINE_LINES.replace(" created", " unchanged"));
}

pub(crate) fn deploy_application(kubectl: &Kubectl) {
    kubectl.ok(&["create", "namespace", "eks-work"]);
    kubectl.ok(&["config", "set-context", "--current", "--namespace=eks-work"]);
    for file in ["secret", "deployment", "service", "cronjob"] {
        apply_file(kubectl, &examples().join(format!("{file}.yaml")));
    }
    assert_eq!(
        apply_file(kubectl, &seed().join("horizontal-pod-autoscaler.yaml")),
        "horizontalpodautoscaler.autoscaling/backend-app created\n"
    );
    kubectl.until(&["get", "deployment", "backend-app"], |out| {
        out.contains("2/2")
    });
    kubectl.until(&["top", "pods"], |out| out.contains("backend-app-"));
    kubectl.until(&["get", "hpa"], |out| {
        out.contains("%/50%") && !out.contains("<unknown>")
    });
}

/// Shell loops in a pod make the load, as in the exercise. One alone takes about all CPU that two pods may have;
/// several, that fetch more than they start programs, are enough on a machine that is busy with other tests, too.
pub(crate) fn scale_under_load_and_back(kubectl: &Kubectl) {
    let url = " http://backend-app-service.eks-work.svc.cluster.local:8080/health".repeat(5);
    let fetch = format!("wget -q -O /dev/null{url}");
    let load = format!("for n in 1 2 3 4; do while true; do {fetch}; done & done; wait");
    kubectl.ok(&[
        "run",
        "load-generator",
        "--image=busybox",
        "--restart=Never",
        "--",
        "sh",
        "-c",
        &load,
    ]);
    kubectl.until(
        &[
            "get",
            "hpa",
            "backend-app",
            "-o",
            "jsonpath={.status.desiredReplicas}",
        ],
        |n| n == "5",
    );
    kubectl.until(&["get", "deployment", "backend-app"], |out| {
        out.contains("5/5")
    });
    kubectl.ok(&["delete", "pod", "load-generator", "--grace-period=1"]);
    kubectl.until(&["get", "deployment", "backend-app"], |out| {
        out.contains("2/2")
    });
}

fn what_people_look_at(kubectl: &Kubectl) {
    let all = kubectl.ok(&["get", "all"]);
    for part in [
        "pod/backend-app-",
        "service/backend-app-service",
        "deployment.apps/backend-app",
        "replicaset.apps/backend-app-",
        "horizontalpodautoscaler.autoscaling/backend-app",
        "cronjob.batch/batch-app",
    ] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    the_autoscaler_explains_itself(kubectl);
    assert!(kubectl.ok(&["get", "events"]).contains("SuccessfulRescale"));
    assert!(
        kubectl
            .ok(&["describe", "deploy", "backend-app"])
            .contains("ScalingReplicaSet")
    );
    // Those that are on their way out are still listed for a while.
    let pods = kubectl.until(
        &["get", "pods", "-l", "app=backend-app", "-o", "name"],
        |out| out.lines().count() == 2,
    );
    let pod = pods.lines().next().unwrap();
    assert!(kubectl.ok(&["describe", pod]).contains("Readiness:"));
    kubectl.ok(&["logs", pod]);
    assert!(
        kubectl
            .ok(&["get", "pods", "-o", "wide"])
            .contains("node-1")
    );
    assert!(
        kubectl
            .ok(&["describe", "node", "node-1"])
            .contains("backend-app-")
    );
    assert!(kubectl.ok(&["top", "nodes"]).contains("node-1"));
    assert_eq!(kubectl.ok(&["exec", pod, "--", "echo", "hello"]), "hello\n");
    roll_out_and_undo(kubectl);
}

fn the_autoscaler_explains_itself(kubectl: &Kubectl) {
    let hpa = kubectl.ok(&["describe", "hpa", "backend-app"]);
    let mut parts = vec![
        "Min replicas:",
        "SuccessfulRescale",
        "; reason: cpu resource utilization (percentage of request) above target",
        // The last step up may be one that an earlier recommendation asks for: then, as upstream, without a reason.
        "New size: 5; reason: ",
    ];
    // Old clients describe autoscaling/v1, which has no metrics and no conditions.
    if hpa.contains("Target CPU utilization:") {
        parts.push("autoscaling.alpha.kubernetes.io/conditions");
    } else {
        parts.extend(["resource cpu on pods", "ScalingActive", "ValidMetricFound"]);
    }
    for part in parts {
        assert!(hpa.contains(part), "{part} in\n{hpa}");
    }
}

fn roll_out_and_undo(kubectl: &Kubectl) {
    kubectl.ok(&[
        "set",
        "image",
        "deployment/backend-app",
        "backend-app=example.com/k8sbook/backend-app:2.0.0",
    ]);
    kubectl.ok(&["rollout", "status", "deployment/backend-app"]);
    assert!(
        kubectl
            .ok(&["rollout", "history", "deployment/backend-app"])
            .contains('2')
    );
    assert!(
        kubectl
            .ok(&["rollout", "undo", "deployment/backend-app"])
            .contains("rolled back")
    );
    kubectl.ok(&["rollout", "status", "deployment/backend-app"]);
    let image = [
        "get",
        "deployment",
        "backend-app",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].image}",
    ];
    assert!(kubectl.ok(&image).ends_with(":1.0.0"));
}

fn delete_everything(kubectl: &Kubectl, lab: &Lab) {
    for file in [
        "cronjob",
        "horizontal-pod-autoscaler",
        "service",
        "deployment",
        "secret",
    ] {
        kubectl.ok(&[
            "delete",
            "-f",
            &examples()
                .join(format!("{file}.yaml"))
                .display()
                .to_string(),
        ]);
    }
    let gone = kubectl.ok(&[
        "delete",
        "-f",
        &seed().join("components.yaml").display().to_string(),
    ]);
    assert!(
        gone.contains("apiservice.apiregistration.k8s.io \"v1beta1.metrics.k8s.io\" deleted"),
        "{gone}"
    );
    kubectl.until(&["get", "pods", "-A"], |out| out.trim().is_empty());
    kubectl.until(
        &[
            "get",
            "endpoints,endpointslices,replicasets",
            "-n",
            "eks-work",
        ],
        |out| out.trim().is_empty(),
    );
    assert!(
        crate::lab::eventually(|| children(lab.pid()).is_empty()),
        "{:?}",
        children(lab.pid())
    );
    kubectl.ok(&["delete", "namespace", "eks-work"]);
}

/// Programs that the lab still runs.
fn children(pid: u32) -> Vec<String> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let pids = std::fs::read_to_string(path).unwrap_or_default();
    let name =
        |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    pids.split_whitespace()
        .map(|pid| name(pid).replace('\0', " "))
        .collect()
}
