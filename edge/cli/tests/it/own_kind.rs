//! Autoscalers of evenkeel.dev/v1 with stock kubectl, and the way there and back: the lab's own controller is the one
//! that cannot be switched off, a second process serves ours.

use crate::lab::{Kubectl, Lab};
use crate::tools;
use expect_test::expect;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Nothing runs for it: a paused Deployment makes no pods, and the bounds need no metrics.
const MANIFEST: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  paused: true
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, labels: {team: a}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 5
"#;

/// Our program as somebody's with a kubeconfig.
pub(crate) struct Evenkeel {
    pub(crate) kubeconfig: PathBuf,
    /// For a log.
    pub(crate) folder: PathBuf,
}

impl Evenkeel {
    fn of(lab: &Lab) -> Self {
        Self {
            kubeconfig: lab.kubeconfig(),
            folder: lab.folder.path().to_owned(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What it prints when all is well.
    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says when the answer is no.
    #[track_caller]
    fn no(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert_eq!(output.stdout, b"");
        errors
    }

    fn controller(&self) -> Controller {
        let flags = [
            "hpa-controller",
            "--serve=evenkeel.dev/v1",
            "--leader-elect=false",
            "--secure-port=0",
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--kubeconfig",
        ];
        let log = std::fs::File::create(self.folder.join("controller.log")).unwrap();
        let mut command = self.command(&flags);
        let child = command.arg(&self.kubeconfig).stderr(log).spawn();
        Controller(child.unwrap())
    }
}

struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn define(kubectl: &Kubectl) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    kubectl.ok(&["apply", "-f", &folder.display().to_string()]);
    let established = [
        "wait",
        "--for=condition=Established",
        "crd/horizontalpodautoscalers.evenkeel.dev",
        "--timeout=30s",
    ];
    kubectl.ok(&established);
    kubectl.until(&["get", "ehpa"], |_| true);
}

fn object(kubectl: &Kubectl, kind: &str) -> Value {
    serde_json::from_str(&kubectl.ok(&["get", kind, "web", "-o", "json"])).unwrap()
}

/// What of upstream's object users gave.
fn given(mut hpa: Value) -> Value {
    hpa.as_object_mut().unwrap().remove("status");
    let metadata = hpa["metadata"].as_object_mut().unwrap();
    for key in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
    ] {
        metadata.remove(key);
    }
    hpa
}

fn state(kubectl: &Kubectl, reason: &str) {
    let path = r#"jsonpath={.status.conditions[?(@.type=="AbleToScale")].reason}"#;
    kubectl.until(&["get", "ehpa", "web", "-o", path], |text| text == reason);
}

fn floor(kubectl: &Kubectl, kind: &str, replicas: &str) {
    let patch = format!(r#"{{"spec":{{"minReplicas":{replicas}}}}}"#);
    kubectl.ok(&["patch", kind, "web", "--type=merge", "-p", &patch]);
}

fn replicas(kubectl: &Kubectl, wanted: &str) {
    let path = "jsonpath={.spec.replicas}";
    kubectl.until(&["get", "deployment", "web", "-o", path], |n| n == wanted);
}

/// Waits until the lab's controller has looked at its autoscaler.
fn served(kubectl: &Kubectl) {
    let path = "jsonpath={.status.conditions[*].type}";
    let seen = |text: &str| text.contains("AbleToScale");
    kubectl.until(&["get", "hpa", "web", "-o", path], seen);
}

#[test]
fn an_autoscaler_moves_over_and_back_and_every_interruption_is_finished() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    there_and_back(&lab.kubectl(&program), &Evenkeel::of(&lab));
}

/// Needs a controller of upstream's kind that looks every few seconds.
pub(crate) fn there_and_back(kubectl: &Kubectl, evenkeel: &Evenkeel) {
    define(kubectl);
    kubectl.apply(MANIFEST);
    served(kubectl);
    let before = given(object(kubectl, "hpa"));
    let _controller = evenkeel.controller();

    // As if it had ended after its first step.
    let first = evenkeel.ok(&["adopt", "hpa/web", "--dry-run", "-o", "yaml"]);
    let made = kubectl.with_input(&["create", "-f", "-"], &first);
    assert!(made.status.success(), "{made:?}");
    state(kubectl, "TargetHasAnotherAutoscaler");
    floor(kubectl, "hpa", "2");
    let said = evenkeel.output(&["adopt", "hpa/web"]);
    expect![[r#"
        evenkeel: the controller has seen it
        evenkeel: deleted horizontalpodautoscaler.autoscaling/web
        evenkeel: the controller acts on horizontalpodautoscaler.evenkeel.dev/web
    "#]]
    .assert_eq(&String::from_utf8(said.stderr).unwrap());
    assert_eq!(
        said.stdout,
        b"horizontalpodautoscaler.evenkeel.dev/web adopted\n"
    );
    assert!(!kubectl.output(&["get", "hpa", "web"]).status.success());
    columns(kubectl);
    floor(kubectl, "ehpa", "3");
    replicas(kubectl, "3");
    evenkeel.ok(&["adopt", "hpa/web"]);
    let explained = evenkeel.ok(&["explain", "ehpa/web"]);
    assert!(explained.contains("at 3"), "{explained}");

    recreated(kubectl, evenkeel);
    gone_back(kubectl, evenkeel, &before);
}

fn columns(kubectl: &Kubectl) {
    state(kubectl, "SucceededGetScale");
    let table = kubectl.ok(&["get", "horizontalpodautoscalers.evenkeel.dev", "-o", "wide"]);
    let rows: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let age = rows[1].rsplit(' ').nth(1).unwrap().to_owned();
    expect![[r#"
        NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE STATE
        web Deployment/web cpu: <unknown>/80% 2 5 2 AGE SucceededGetScale"#]]
    .assert_eq(&rows.join("\n").replace(&age, "AGE"));
}

/// Whoever applies upstream's object again takes the target back; ours waits.
fn recreated(kubectl: &Kubectl, evenkeel: &Evenkeel) {
    kubectl.apply(MANIFEST);
    state(kubectl, "TargetHasAnotherAutoscaler");
    let no = evenkeel.no(&["adopt", "hpa/web"]);
    assert!(no.contains("says something else"), "{no}");
    let no = evenkeel.no(&["release", "hpa/web"]);
    assert!(no.contains("says something else"), "{no}");
    kubectl.ok(&["delete", "hpa", "web"]);
    state(kubectl, "SucceededGetScale");
}

fn gone_back(kubectl: &Kubectl, evenkeel: &Evenkeel, before: &Value) {
    floor(kubectl, "ehpa", "2");
    // As if it had ended after its first step.
    let first = evenkeel.ok(&["release", "hpa/web", "--dry-run", "-o", "json"]);
    // Created as it is: kubectl would note the defaults as applied.
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    let made = kubectl.with_input(&["create", "--raw", path, "-f", "-"], &first);
    assert!(made.status.success(), "{made:?}");
    let said = evenkeel.ok(&["release", "hpa/web"]);
    assert_eq!(said, "horizontalpodautoscaler.autoscaling/web released\n");
    assert!(!kubectl.output(&["get", "ehpa", "web"]).status.success());
    assert_eq!(given(object(kubectl, "hpa")), *before);
    let again = kubectl.apply(MANIFEST);
    assert!(
        again.contains("horizontalpodautoscaler.autoscaling/web unchanged"),
        "{again}"
    );
    evenkeel.ok(&["release", "hpa/web"]);
    floor(kubectl, "hpa", "4");
    replicas(kubectl, "4");
}

#[test]
fn what_cannot_be_adopted_stays_as_it_is() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    left_as_it_is(&lab.kubectl(&program), &Evenkeel::of(&lab));
}

/// Begins where the kind is not defined.
pub(crate) fn left_as_it_is(kubectl: &Kubectl, evenkeel: &Evenkeel) {
    kubectl.apply(MANIFEST);
    served(kubectl);
    let before = object(kubectl, "hpa");
    let no = evenkeel.no(&["adopt", "hpa/web"]);
    assert!(no.contains("kubectl apply -f deploy/crds"), "{no}");
    define(kubectl);
    let no = evenkeel.no(&["adopt", "hpa/none", "-n", "default"]);
    assert!(
        no.contains("horizontalpodautoscaler.autoscaling/none is not there"),
        "{no}"
    );

    // Nobody serves ours.
    let no = evenkeel.no(&["adopt", "hpa/web", "--timeout=1s"]);
    assert!(no.contains("--serve=evenkeel.dev/v1"), "{no}");
    assert!(no.contains("is deleted again"), "{no}");
    assert_eq!(kubectl.ok(&["get", "ehpa"]), "");

    // It ends while it waits; releasing undoes what it did.
    let mut waiting = evenkeel.command(&["adopt", "hpa/web", "--timeout=10m"]);
    let mut waiting = waiting.stderr(Stdio::null()).spawn().unwrap();
    kubectl.until(&["get", "ehpa", "web"], |_| true);
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    evenkeel.ok(&["release", "hpa/web", "--timeout=1s"]);
    assert_eq!(kubectl.ok(&["get", "ehpa"]), "");

    let second = MANIFEST.rsplit("---").next().unwrap();
    kubectl.apply(&second.replace("{name: web, labels", "{name: second, labels"));
    let no = evenkeel.no(&["adopt", "hpa/web"]);
    let other = "its target has another autoscaler: horizontalpodautoscaler.autoscaling/second";
    assert!(no.contains(other), "{no}");
    assert_eq!(
        object(kubectl, "hpa")["metadata"]["uid"],
        before["metadata"]["uid"]
    );
    assert_eq!(object(kubectl, "hpa")["spec"], before["spec"]);

    let wrong = evenkeel.output(&["adopt", "deployment/web"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = evenkeel.output(&["adopt", "hpa/web", "--kubeconfig=/none"]);
    assert_eq!(wrong.status.code(), Some(2));
}
