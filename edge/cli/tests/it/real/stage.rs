//! A real control plane, nodes whose pods use what a test says, and our programs with the shipped roles and nothing
//! more.
//!
//! All load is on one pod and the others use next to nothing, so that the right number of replicas is the same for any
//! number that there is.

use super::audit::Audit;
use super::plane::ControlPlane;
use super::process::Process;
use crate::lab::{Kubectl, Lab};
use crate::tools;
use std::path::{Path, PathBuf};

pub(super) const CONTROLLER: &str = "evenkeel-hpa-controller";
pub(super) const METRICS_SERVER: &str = "metrics-server";

/// Each pod asks for 100m and should use half of it.
const WORKLOAD: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {evenkeel.dev/simulated-cpu: 1m}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: example.com/web, resources: {requests: {cpu: 100m}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 12
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
"#;
/// Endpoints may not hold loopback addresses, names may.
const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {type: ExternalName, externalName: localhost}
";
/// A little less than what makes a pod right, so that rounding up never asks for one more.
const OF_EACH: u32 = 47;

pub(super) struct Stage {
    pub(super) kubectl: Kubectl,
    pub(super) audit: Audit,
    program: PathBuf,
    lab: Lab,
    /// The last to go.
    pub(super) plane: ControlPlane,
}

impl Stage {
    /// A control plane without upstream's HPA controller, with a node, the shipped roles and an autoscaler.
    pub(super) fn start() -> Option<Self> {
        let program = tools::kubectl()?;
        let audit = Audit::new();
        let [policy, log] = audit.flags();
        let flags = [
            &policy,
            &log,
            "--without=horizontal-pod-autoscaler-controller",
            // Nodes cannot say that they are well while the API is away, and that is not what is looked at.
            "--controller-manager-flag=--node-monitor-grace-period=10m",
        ];
        let plane = ControlPlane::start(&flags)?;
        let nodes = ["--nodes=0", "--simulated-nodes=1", "--pods-per-node=0"];
        let lab = Lab::join(&plane.kubeconfig(), &nodes);
        let kubectl = lab.kubectl(&program);
        for file in ["hpa-controller", "metrics-server"] {
            kubectl.apply(&roles(&format!("{file}/components.yaml")));
        }
        kubectl.apply(WORKLOAD);
        let stage = Self {
            kubectl,
            audit,
            program,
            lab,
            plane,
        };
        stage.replicas(2);
        stage.choose_who_bears_the_load();
        Some(stage)
    }

    /// It is the last that a scale-down takes.
    fn choose_who_bears_the_load(&self) {
        let pods = ["get", "pods", "-l", "app=web", "-o", "name"];
        let pods = self.kubectl.ok(&pods);
        let pod = pods.lines().next().unwrap();
        self.kubectl.ok(&["label", pod, "load=all"]);
        let cost = "controller.kubernetes.io/pod-deletion-cost=1000";
        self.kubectl.ok(&["annotate", pod, cost]);
    }

    /// Load for which so many replicas are right, from now on.
    pub(super) fn load(&self, replicas: u32) {
        let cpu = format!("evenkeel.dev/simulated-cpu={}m", OF_EACH * replicas);
        let annotate = ["annotate", "pods", "-l", "load=all", "--overwrite", &cpu];
        self.kubectl.ok(&annotate);
    }

    /// Waits until there are so many, all of them ready.
    #[track_caller]
    pub(super) fn replicas(&self, number: u32) {
        let path = "jsonpath={.spec.replicas} {.status.replicas} {.status.readyReplicas}";
        let wanted = format!("{number} {number} {number}");
        let ask = ["get", "deployment", "web", "-o", path];
        self.kubectl.until(&ask, |text| text == wanted);
    }

    /// Waits until a condition of the autoscaler is as wanted: its status, reason and message.
    #[track_caller]
    pub(super) fn condition(&self, kind: &str, holds: impl Fn(&str) -> bool) {
        let of = format!("{{.status.conditions[?(@.type==\"{kind}\")]");
        let path = format!("jsonpath={of}.status}} {of}.reason}} {of}.message}}");
        self.kubectl
            .until(&["get", "hpa", "web", "-o", &path], holds);
    }

    /// A folder with a kubeconfig that shows a new token of a service account of ours.
    fn account(&self, name: &str, account: &str) -> PathBuf {
        let folder = self.lab.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let token = ["create", "token", account, "-n", "kube-system"];
        let token = self.kubectl.ok(&token);
        Kubectl::new(&self.program, self.lab.kubeconfig(), &folder).with_token(token.trim());
        folder
    }

    /// A kubectl of somebody who may do what everybody may.
    pub(super) fn nobody(&self) -> Kubectl {
        let token = self.kubectl.ok(&["create", "token", "default"]);
        let folder = self.lab.folder.path().join("nobody");
        std::fs::create_dir_all(&folder).unwrap();
        Kubectl::new(&self.program, self.lab.kubeconfig(), &folder).with_token(token.trim())
    }

    /// A controller that looks every second, with more flags.
    pub(super) fn controller(&self, name: &str, flags: &[&str]) -> Process {
        let folder = self.account(name, CONTROLLER);
        let log = format!("--decision-log={}", folder.join("decisions").display());
        let mut arguments = vec!["hpa-controller", &log];
        arguments.push("--horizontal-pod-autoscaler-sync-period=1s");
        // One pod too few for many pods must not be near enough.
        arguments.push("--horizontal-pod-autoscaler-tolerance=0.01");
        arguments.extend(flags);
        Process::start(&folder, super::process::free_port(), &arguments)
    }

    /// A metrics-server on a port, and its API there.
    pub(super) fn metrics_server(&self, port: u16) -> Process {
        let folder = self.account(METRICS_SERVER, METRICS_SERVER);
        let authority = self.plane.pki("ca.crt");
        let arguments = [
            "metrics-server".to_owned(),
            format!("--cert-dir={}", folder.display()),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--kubelet-use-node-status-port".to_owned(),
            format!("--kubelet-certificate-authority={}", authority.display()),
        ];
        let server = Process::start(&folder, port, &arguments.each_ref().map(String::as_str));
        self.kubectl.apply(SERVICE);
        let port = format!(r#"{{"spec":{{"service":{{"port":{port}}}}}}}"#);
        let api = ["patch", "apiservice", "v1beta1.metrics.k8s.io"];
        self.kubectl
            .ok(&[&api[..], &["--type=merge", "-p", &port]].concat());
        server
    }

    /// Waits until the autoscaler's own metrics can be had.
    #[track_caller]
    pub(super) fn metrics(&self) {
        let top = ["top", "pods", "-l", "app=web", "--no-headers"];
        self.kubectl.until(&top, |table| table.lines().count() == 2);
    }
}

/// What a file of deploy/ has, but for what runs.
pub(super) fn roles(file: &str) -> String {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let text = std::fs::read_to_string(deploy.join(file)).unwrap();
    let runs =
        ["Deployment", "Service", "PodDisruptionBudget"].map(|kind| format!("\nkind: {kind}\n"));
    let objects = text.split("---\n");
    let kept: Vec<&str> = objects
        .filter(|object| !runs.iter().any(|kind| object.contains(kind)))
        .collect();
    kept.join("---\n")
}
