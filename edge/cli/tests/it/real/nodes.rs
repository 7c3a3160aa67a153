//! The lab's nodes on a real control plane: who they are, what works in pods, and that kubelets can be believed.

use super::manifests;
use super::plane::ControlPlane;
use crate::lab::{Kubectl, Lab};
use crate::tools;

#[test]
fn nodes_join_a_real_control_plane_under_their_own_names() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let Some(plane) = ControlPlane::start(&[]) else {
        return;
    };
    manifests::are_accepted_without_a_warning(&plane.kubectl(&program));
    let flags = [
        "--nodes=2",
        "--simulated-nodes=120",
        "--pods-per-node=1",
        "--addons=metrics-server",
        "--metric-resolution=2s",
        // What is tried again is logged from here on.
        "-v=4",
    ];
    let lab = Lab::join(&plane.kubeconfig(), &flags);
    let kubectl = lab.kubectl(&program);
    all_nodes_are_ready(&kubectl);
    nodes_ask_for_their_certificates_themselves(&kubectl);
    services_work_in_pods(&kubectl);
    upstream_reaches_kubelets_and_believes_them(&kubectl);
    the_lab_has_nothing_to_complain_of(&lab);
    lab.end();
}

fn all_nodes_are_ready(kubectl: &Kubectl) {
    kubectl.until(&["get", "nodes", "--no-headers"], |out| {
        out.matches(" Ready ").count() == 122
    });
    let running = ["get", "pods", "-A", "--no-headers", "-l", "app"];
    kubectl.until(&running, |out| out.matches(" Running ").count() == 120);
}

/// By the impersonated name, which the signer compares with the certificate's.
fn nodes_ask_for_their_certificates_themselves(kubectl: &Kubectl) {
    let table = kubectl.ok(&["get", "csr", "--no-headers"]);
    let signed = |line: &&str| line.contains("kubelet-serving") && line.contains("Approved,Issued");
    assert_eq!(table.lines().filter(signed).count(), 4, "{table}");
    for node in ["node-1", "node-2", "simulated-1", "simulated-101"] {
        assert!(table.contains(&format!("system:node:{node} ")), "{table}");
    }
}

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {run: web}}
  template:
    metadata: {labels: {run: web}}
    spec:
      containers:
      - name: web
        image: example.com/backend-app:1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /health, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {run: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-pods}
spec: {clusterIP: None, selector: {run: web}, ports: [{port: 8080}]}
"#;

fn services_work_in_pods(kubectl: &Kubectl) {
    kubectl.apply(WEB);
    kubectl.ok(&["rollout", "status", "deployment/web"]);
    let sleeps = ["run", "client", "--image=busybox", "--", "sleep", "600"];
    kubectl.ok(&sleeps);
    kubectl.ok(&["wait", "--for=condition=Ready", "pod/client"]);
    for address in ["web.default.svc.cluster.local", "web-pods:8080"] {
        let url = format!("http://{address}/health");
        let fetch = ["exec", "client", "--", "wget", "-q", "-O-", &url];
        kubectl.until(&fetch, |out| out.contains("OK"));
    }
    let external = "jsonpath={.status.loadBalancer.ingress[0].ip}";
    kubectl.until(&["get", "service", "web", "-o", external], |ip| {
        ip.starts_with("127.")
    });
    // The client's own API address, with its own token.
    let review = "wget -q -O- --no-check-certificate \
        --header=\"Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)\" \
        https://kubernetes.default.svc/apis";
    let asked = kubectl.ok(&["exec", "client", "--", "sh", "-c", review]);
    assert!(asked.contains("APIGroupList"), "{asked}");
    kubectl.ok(&["delete", "pod/client", "--grace-period=1"]);
}

/// kube-apiserver and metrics-server verify kubelets by the cluster's authority.
fn upstream_reaches_kubelets_and_believes_them(kubectl: &Kubectl) {
    kubectl.until(&["logs", "-l", "run=web"], |log| !log.is_empty());
    let pods = ["get", "pods", "-l", "run=web", "-o", "name"];
    let pods = kubectl.ok(&pods);
    let pod = pods.lines().next().unwrap();
    assert_eq!(kubectl.ok(&["exec", pod, "--", "echo", "hello"]), "hello\n");
    kubectl.until(&["top", "nodes", "--no-headers"], |table| {
        table
            .lines()
            .filter(|line| !line.contains("<unknown>"))
            .count()
            == 122
    });
    kubectl.until(&["top", "pods", "-l", "run=web"], |table| {
        table.contains("web-")
    });
    kubectl.ok(&[
        "delete",
        "deployment/web",
        "service/web",
        "service/web-pods",
    ]);
    let slices = ["get", "endpointslices", "-o", "name"];
    kubectl.until(&slices, |out| out.trim().is_empty());
}

fn the_lab_has_nothing_to_complain_of(lab: &Lab) {
    let log = std::fs::read_to_string(lab.folder.path().join("lab.log")).unwrap();
    let about_rights = |line: &&str| {
        ["forbidden", "invalid", "Invalid"]
            .iter()
            .any(|word| line.contains(word))
    };
    let found: Vec<&str> = log.lines().filter(about_rights).collect();
    assert!(found.is_empty(), "{found:#?}");
}
