//! deploy/helm: what the chart renders is what deploy/ holds, its flags are ours, and values that are wrong are refused.
//!
//! Helm's own engine and schema check render it (tests/helm, a Go program); no helm is needed, nothing is installed.

use crate::tools;
use clap::Parser;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct HpaController {
    #[command(flatten)]
    args: hpa_controller::Args,
}

#[derive(Debug, Parser)]
struct MetricsServer {
    #[command(flatten)]
    args: metrics_server::Args,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program that renders.
struct Helm(TempDir);

impl Helm {
    /// Built anew, which takes a second where Go has its parts already.
    fn build() -> Option<Self> {
        let go = tools::go()?;
        let folder = tempfile::tempdir().unwrap();
        let built = Command::new(go)
            .args(["build", "-o"])
            .arg(folder.path().join("render"))
            .arg(".")
            .current_dir(root().join("tests/helm"))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{errors}");
        Some(Self(folder))
    }

    /// What it prints, or its error.
    fn render(&self, namespace: &str, values: &str) -> Result<String, String> {
        let mut child = Command::new(self.0.path().join("render"))
            .arg(root().join("deploy/helm/evenkeel"))
            .arg(namespace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(values.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    #[track_caller]
    fn objects(&self, namespace: &str, values: &str) -> Objects {
        objects(&self.render(namespace, values).unwrap())
    }
}

type Objects = BTreeMap<String, Value>;

/// By kind and name, without what Helm adds and what is the default.
fn objects(text: &str) -> Objects {
    let documents = text.split("---\n").filter(|d| !d.trim().is_empty());
    let parsed = documents.map(|d| serde_saphyr::from_str::<Value>(d).unwrap());
    parsed
        .map(|mut object| {
            let labels = object["metadata"]["labels"].as_object_mut().unwrap();
            labels.retain(|key, _| {
                !key.starts_with("app.kubernetes.io/") && !key.starts_with("helm.sh/")
            });
            if object["spec"]["replicas"] == 1 {
                object["spec"].as_object_mut().unwrap().remove("replicas");
            }
            let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
            (name.replace('"', ""), object)
        })
        .collect()
}

fn deployed(file: &str) -> Objects {
    objects(&std::fs::read_to_string(root().join("deploy").join(file)).unwrap())
}

fn flags(objects: &Objects, deployment: &str) -> Vec<String> {
    let spec = &objects[&format!("Deployment {deployment}")]["spec"]["template"]["spec"];
    let flags = spec["containers"][0]["args"].as_array().unwrap();
    let flags = flags.iter().map(|flag| flag.as_str().unwrap().to_owned());
    std::iter::once("program".to_owned()).chain(flags).collect()
}

const BOTH: &str = "hpaController: {enabled: true}";

#[test]
fn the_chart_renders_what_deploy_holds() {
    let Some(helm) = Helm::build() else { return };
    let pairs = [
        (BOTH, "evenkeel.yaml"),
        ("", "metrics-server/components.yaml"),
        (
            "metricsServer: {replicas: 2}",
            "metrics-server/high-availability.yaml",
        ),
        (
            "{metricsServer: {enabled: false}, hpaController: {enabled: true}}",
            "hpa-controller/components.yaml",
        ),
        (
            "{metricsServer: {enabled: false}, hpaController: {enabled: true, serve: [evenkeel.dev/v1]}}",
            "hpa-controller/own-kind.yaml",
        ),
    ];
    for (values, file) in pairs {
        let (rendered, mut deployed) = (helm.objects("kube-system", values), deployed(file));
        // What is in crds/ is installed before anything is rendered.
        deployed.retain(|name, _| !name.starts_with("CustomResourceDefinition "));
        let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&rendered), names(&deployed), "{file}");
        for (name, object) in &deployed {
            assert_eq!(rendered[name], *object, "{name} of {file}");
        }
    }
}

#[test]
fn values_become_flags_that_the_programs_accept() {
    let Some(helm) = Helm::build() else { return };
    let values = "
image: {repository: example.com/evenkeel, tag: v9}
imagePullSecrets: [{name: secret}]
metricsServer: {metricResolution: 30s, extraArgs: [--kubelet-insecure-tls]}
hpaController:
  enabled: true
  loggingFormat: json
  verbosity: 4
  tolerations: [{operator: Exists}]
  flags:
    horizontal-pod-autoscaler-sync-period: 5s
    horizontal-pod-autoscaler-tolerance: 0.2
    concurrent-horizontal-pod-autoscaler-syncs: 20
";
    let objects = helm.objects("autoscaling", values);
    let hpa = flags(&objects, "evenkeel-hpa-controller");
    let args = HpaController::try_parse_from(hpa).unwrap().args;
    args.validate().unwrap();
    assert_eq!(args.hpa.sync_period, units::Duration::from_seconds(5));
    assert_eq!((args.hpa.tolerance, args.hpa.concurrent_syncs), (0.2, 20));
    assert_eq!((args.v, args.leader.leader_elect), (4, true));
    assert_eq!(args.leader.leader_elect_resource_namespace, "autoscaling");
    let metrics = flags(&objects, "metrics-server");
    let args = MetricsServer::try_parse_from(metrics).unwrap().args;
    args.validate().unwrap();
    assert!(args.kubelet.kubelet_insecure_tls);
    let pod = &objects["Deployment evenkeel-hpa-controller"]["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["image"], "example.com/evenkeel:v9");
    assert_eq!(pod["imagePullSecrets"][0]["name"], "secret");
    assert_eq!(pod["tolerations"][0]["operator"], "Exists");
    // The one thing that has to be there, wherever the rest is.
    let reader = &objects["RoleBinding evenkeel-hpa-controller-auth-reader"];
    assert_eq!(reader["metadata"]["namespace"], "kube-system");
    assert_eq!(reader["subjects"][0]["namespace"], "autoscaling");
    let lease = &objects["Role evenkeel:hpa-controller"];
    assert_eq!(lease["metadata"]["namespace"], "autoscaling");
}

#[test]
fn values_that_are_wrong_are_refused_by_name() {
    let Some(helm) = Helm::build() else { return };
    let wrong = [
        ("hpaControler: {}", "hpaControler"),
        ("hpaController: {replicas: -1}", "/hpaController/replicas"),
        (
            "hpaController: {loggingFormat: xml}",
            "/hpaController/loggingFormat",
        ),
        (
            "metricsServer: {metricResolution: 15}",
            "/metricsServer/metricResolution",
        ),
        (
            "metricsServer: {extraArgs: [kubelet-insecure-tls]}",
            "/metricsServer/extraArgs/0",
        ),
        ("image: {pullPolicy: Sometimes}", "/image/pullPolicy"),
        (
            "hpaController: {serve: [autoscaling/v1]}",
            "/hpaController/serve/0",
        ),
    ];
    for (values, named) in wrong {
        let error = helm.render("kube-system", values).unwrap_err();
        assert!(error.contains(named), "{values}: {error}");
    }
}
