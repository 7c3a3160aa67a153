//! `evenkeel explain`: from the examples, from what cannot be used, and from a running cluster.

use crate::history;
use crate::lab::{Kubectl, Lab, examples};
use crate::tools;
use expect_test::{Expect, expect, expect_file};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const HPA: &str = r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
"#;

fn evenkeel(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .arg("explain")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What is refused before it is read closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What is printed of an example, when all is well.
#[track_caller]
fn of_example(arguments: &[&str]) -> String {
    let output = evenkeel(&examples().join("../explain"), arguments, "");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((errors.as_str(), output.status.code()), ("", Some(0)));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_example_is_explained_as_the_documentation_shows() {
    expect_file!["explain/scale-up.txt"].assert_eq(&of_example(&["-f", "scale-up.yaml"]));
    expect_file!["explain/held-by-stabilization.txt"]
        .assert_eq(&of_example(&["-f", "held-by-stabilization.yaml"]));
    expect_file!["explain/missing-metrics.txt"]
        .assert_eq(&of_example(&["-f", "missing-metrics.yaml"]));
}

#[test]
fn the_answer_is_data_too() {
    let json = of_example(&["-f", "scale-up.yaml", "-o", "json"]);
    expect_file!["explain/scale-up.json"].assert_eq(&json);
    let yaml = of_example(&["-f", "scale-up.yaml", "-o", "yaml"]);
    expect_file!["explain/scale-up.yaml"].assert_eq(&yaml);
}

#[test]
fn a_changed_specification_is_answered_beside_the_real_one() {
    let window = "scaleDown.stabilizationWindowSeconds=60";
    let both = of_example(&["-f", "held-by-stabilization.yaml", "--what-if", window]);
    expect_file!["explain/what-if.txt"].assert_eq(&both);
    let both = of_example(&["-f", "scale-up.yaml", "--what-if=maxReplicas=4", "-o=json"]);
    let both: Value = serde_json::from_str(&both).unwrap();
    let desired = |which: &str| both[which]["desiredReplicas"].clone();
    assert_eq!((desired("actual"), desired("whatIf")), (5.into(), 4.into()));
}

/// Exit code 2, nothing on stdout, and this on stderr.
#[track_caller]
fn refused(arguments: &[&str], input: &str, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let output = evenkeel(folder.path(), arguments, input);
    let errors = String::from_utf8(output.stderr).unwrap();
    expected.assert_eq(&errors);
    assert_eq!(errors.lines().count(), 1, "one line: {errors}");
    assert_eq!((output.status.code(), output.stdout), (Some(2), vec![]));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    refused(
        &["-f", "nothing.yaml"],
        "",
        &expect![[r#"
        evenkeel: nothing.yaml: cannot be read: No such file or directory (os error 2)
    "#]],
    );
    refused(
        &["-f", "folder"],
        "",
        &expect![[r#"
        evenkeel: folder: a directory: name its files, each with -f
    "#]],
    );
    refused(
        &["-f", "-"],
        "",
        &expect![[r#"
        evenkeel: standard input: holds no objects: at least a HorizontalPodAutoscaler is needed
    "#]],
    );
    refused(
        &["-f", "-"],
        "\u{0}",
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: no YAML: unexpected character: `\u{0}' (column 1)
    "#]],
    );
    refused(
        &["-f", "-"],
        "kind: [",
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: no YAML: unclosed bracket '[' (column 7)
    "#]],
    );
    refused(
        &["-f", "-"],
        "{\"kind\": \"Pod\", ",
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: no JSON: EOF while parsing a value
    "#]],
    );
    refused(
        &["-f", "-"],
        "just text",
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: not an object but text: each document must be an object with apiVersion and kind
    "#]],
    );
    refused(
        &["-f", "-"],
        "kind: Pod",
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: Pod: apiVersion: missing: it says what the object is
    "#]],
    );
}

#[test]
fn autoscalers_that_contradict_themselves_are_refused_with_document_and_field() {
    let with = |more: &str| format!("{HPA}---{more}");
    let again = HPA.replace("name: web, namespace", "name: other, namespace");
    refused(
        &["-f", "-"],
        &with(&again),
        &expect![[r#"
        evenkeel: standard input: document 2, line 9: HorizontalPodAutoscaler shop/other: several autoscalers: say which with --hpa (shop/web, shop/other)
    "#]],
    );
    refused(
        &["-f", "-"],
        &with(HPA),
        &expect![[r#"
        evenkeel: standard input: document 2, line 9: HorizontalPodAutoscaler shop/web: metadata.name: this autoscaler is there twice
    "#]],
    );
    let named = ["-f", "-", "--hpa", "shop/nobody"];
    refused(
        &named,
        HPA,
        &expect![[r#"
        evenkeel: standard input: holds no HorizontalPodAutoscaler shop/nobody; there is shop/web
    "#]],
    );
    let text = HPA.replace("maxReplicas: 3", "maxReplicas: three");
    refused(
        &["-f", "-"],
        &text,
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: HorizontalPodAutoscaler shop/web: spec.maxReplicas: invalid type: string "three", expected i32
    "#]],
    );
    let below = HPA.replace("maxReplicas: 3", "maxReplicas: 3\n  minReplicas: 4");
    refused(
        &["-f", "-"],
        &below,
        &expect![[r#"
        evenkeel: standard input: document 1, line 1: HorizontalPodAutoscaler shop/web: spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`
    "#]],
    );
}

#[test]
fn other_documents_are_refused_with_document_and_field() {
    let with = |more: &str| format!("{HPA}---{more}");
    let context = |field: &str| {
        with(&format!(
            "\napiVersion: evenkeel.dev/v1alpha1\nkind: DecisionContext\n{field}\n"
        ))
    };
    refused(
        &["-f", "-"],
        &context("now: yesterday"),
        &expect![[r#"
        evenkeel: standard input: document 2, line 9: DecisionContext: now: "yesterday" is no time: write it as 2026-01-01T12:00:00Z
    "#]],
    );
    let tolerance = context("config: {tolerence: 0.2}");
    refused(
        &["-f", "-"],
        &tolerance,
        &expect![[r#"
        evenkeel: standard input: document 2, line 9: DecisionContext: config.tolerence: unknown field `tolerence`, expected one of `tolerance`, `cpuInitializationPeriod`, `initialReadinessDelay`, `downscaleStabilization`, `featureGates`
    "#]],
    );
    let usage = with(
        "\napiVersion: metrics.k8s.io/v1beta1\nkind: PodMetrics\nmetadata: {name: web-1, namespace: shop}\n\
         timestamp: 2026-01-01T00:00:00Z\nwindow: 15s\ncontainers: [{name: web, usage: {cpu: lots}}]\n",
    );
    refused(
        &["-f", "-"],
        &usage,
        &expect![[r#"
        evenkeel: standard input: document 2, line 9: PodMetrics shop/web-1: containers[0].usage.cpu: "lots" is not a quantity (as 100m, 1.5 or 64Mi): quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
    "#]],
    );
}

#[test]
fn changes_that_are_none_are_refused() {
    let what_if = |change: &str, expected: &Expect| {
        refused(&["-f", "-", "--what-if", change], HPA, expected);
    };
    what_if(
        "maxReplicas",
        &expect![[r#"
        evenkeel: --what-if: "maxReplicas" is no change: write it as key=value; keys are minReplicas, maxReplicas, target.METRIC, tolerance, downscaleStabilization, cpuInitializationPeriod, initialReadinessDelay, paused, freeze, dryRun, fallback, fallbackMaxAge, metricMaxAge, podsWithoutRequests, and of scaleUp and scaleDown: .stabilizationWindowSeconds, .selectPolicy, .policies, .tolerance
    "#]],
    );
    what_if(
        "maxReplicas=many",
        &expect![[r#"
        evenkeel: --what-if: maxReplicas: "many" is no whole number
    "#]],
    );
    what_if(
        "paused=maybe",
        &expect![[r#"
        evenkeel: --what-if: evenkeel.dev/paused is ignored: "maybe" is not true or false
    "#]],
    );
    what_if(
        "maxReplicas=0",
        &expect![[r#"
        evenkeel: --what-if: an API server would refuse this: spec.maxReplicas: Required value: must be set and greater than 0
    "#]],
    );
    what_if(
        "target.qps=3",
        &expect![[r#"
        evenkeel: --what-if: target.qps: no metric has this name; there is cpu
    "#]],
    );
    what_if(
        "scaleUp.policies=4",
        &expect![[r#"
        evenkeel: --what-if: scaleUp.policies: "4" is no policy: write 4/15s or 100%/1m, and + between several
    "#]],
    );
}

#[test]
fn what_is_no_autoscaler_is_refused_before_a_cluster_is_asked() {
    refused(
        &["deployment/web"],
        "",
        &expect![[r#"
        evenkeel: "deployment/web" is no autoscaler: write hpa/NAME
    "#]],
    );
    refused(
        &["hpa/"],
        "",
        &expect![[r#"
        evenkeel: "hpa/" is no autoscaler: write hpa/NAME
    "#]],
    );
    refused(
        &["hpa/web/status"],
        "",
        &expect![[r#"
        evenkeel: "hpa/web/status" is no autoscaler: write hpa/NAME
    "#]],
    );
    refused(
        &["hpa/web", "--kubeconfig", "nothing"],
        "",
        &expect![[r#"
        evenkeel: cannot read the kubeconfig nothing: No such file or directory (os error 2)
    "#]],
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_mistake() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args(["explain", "-f", "-", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(HPA.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap()
        ),
        (Some(0), String::new())
    );
}

/// The exercise's application and autoscaler, once there are figures.
fn deployed(kubectl: &Kubectl) {
    for file in [
        "components",
        "secret",
        "deployment",
        "horizontal-pod-autoscaler",
    ] {
        let file = examples().join(format!("{file}.yaml"));
        kubectl.ok(&["apply", "-f", &file.display().to_string()]);
    }
    kubectl.until(&["get", "hpa"], |out| out.contains("%/50%"));
}

/// The answer as data.
#[track_caller]
fn answer(lab: &Lab, arguments: &[&str]) -> Value {
    let kubeconfig = lab.kubeconfig();
    let mut all = arguments.to_vec();
    let path = kubeconfig.display().to_string();
    if !arguments.contains(&"-f") {
        all.extend(["--kubeconfig", &path]);
    }
    all.extend(["-o", "json"]);
    let output = evenkeel(lab.folder.path(), &all, "");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_running_autoscaler_is_explained_and_its_snapshot_says_the_same_elsewhere() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    kubectl.ok(&["create", "namespace", "eks-work"]);
    kubectl.ok(&["config", "set-context", "--current", "--namespace=eks-work"]);
    deployed(&kubectl);
    let live = answer(&lab, &["hpa/backend-app", "--save", "saved.yaml"]);
    assert_eq!(live["hpa"], "eks-work/backend-app");
    assert_eq!(
        live["conditions"][1]["reason"], "ValidMetricFound",
        "{live}"
    );
    assert_eq!(live["currentMetrics"][0]["resource"]["name"], "cpu");
    assert_eq!(answer(&lab, &["-f", "saved.yaml"]), live);
    let saved = std::fs::read_to_string(lab.folder.path().join("saved.yaml")).unwrap();
    assert!(!saved.contains("managedFields"), "{saved}");

    let other = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: second}\nspec: \
                 {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: backend-app}, maxReplicas: 3}\n";
    kubectl.apply(other);
    let both = answer(
        &lab,
        &[
            "hpa",
            "backend-app",
            "-n",
            "eks-work",
            "--save",
            "both.yaml",
        ],
    );
    let conditions = both["conditions"].as_array().unwrap();
    let ambiguous = conditions
        .iter()
        .find(|c| c["reason"] == "AmbiguousSelector");
    expect!["pods by selector app=backend-app are controlled by multiple HPAs: [eks-work/backend-app eks-work/second]"].assert_eq(ambiguous.unwrap()["message"].as_str().unwrap());
    assert_eq!(answer(&lab, &["-f", "both.yaml"]), both);
    what_is_owned_is_not_shared(&lab, &kubectl);
}

/// The same autoscaler, once it selects its pods by ownership, and a pod of nobody is among them.
fn what_is_owned_is_not_shared(lab: &Lab, kubectl: &Kubectl) {
    let labels = "--labels=app=backend-app";
    kubectl.ok(&[
        "run",
        "stray",
        "--image=busybox",
        labels,
        "--",
        "sleep",
        "600",
    ]);
    kubectl.ok(&[
        "annotate",
        "hpa/backend-app",
        "evenkeel.dev/pod-selection=owner",
    ]);
    let own = answer(lab, &["hpa/backend-app", "--save", "own.yaml"]);
    let steps = own["steps"].as_array().unwrap();
    let ownership = steps.iter().find(|s| s["rule"] == "Ownership").unwrap();
    let left_out = serde_json::json!([{"pod": "stray", "why": "NoController"}]);
    assert_eq!(ownership["leftOut"], left_out);
    assert!(ownership["ownPods"].as_i64() > Some(0), "{ownership}");
    let saved = std::fs::read_to_string(lab.folder.path().join("own.yaml")).unwrap();
    assert!(saved.contains("kind: ReplicaSet"), "{saved}");
    assert_eq!(answer(lab, &["-f", "own.yaml"]), own);
}

#[test]
fn what_the_controller_remembers_is_saved_too() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::start(&["--horizontal-pod-autoscaler-sync-period=200ms"]);
    let kubectl = lab.kubectl(&program);
    kubectl.apply(history::MANIFEST);
    history::remembered(&kubectl, 1);
    let live = answer(&lab, &["hpa/web", "--save", "saved.yaml"]);
    assert_eq!(answer(&lab, &["-f", "saved.yaml"]), live);
    let saved = std::fs::read_to_string(lab.folder.path().join("saved.yaml")).unwrap();
    let events = saved.split_once("scaleEvents:").unwrap().1;
    assert!(events.contains("change: 2"), "{saved}");
}

#[test]
fn an_autoscaler_that_is_not_there_is_a_no() {
    let lab = Lab::start(&[]);
    let kubeconfig = lab.kubeconfig();
    let path = kubeconfig.display().to_string();
    let output = evenkeel(
        lab.folder.path(),
        &["hpa/nobody", "-n", "nowhere", "--kubeconfig", &path],
        "",
    );
    expect![[r#"
        evenkeel: horizontalpodautoscalers.autoscaling "nobody" not found (namespace nowhere)
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), output.stdout), (Some(1), vec![]));
}
