//! Our own kind on a real API server, which evaluates its rules, and beside upstream's controller, which stays on.
//!
//! What the API server answers to manifests that were recorded with upstream's kind is in `own_kind/refusals.txt`.

use super::audit::Audit;
use super::plane::ControlPlane;
use crate::lab::Kubectl;
use crate::own_kind::{Evenkeel, define, left_as_it_is, there_and_back};
use crate::tools;
use expect_test::expect_file;
use kube::Client;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

const UPSTREAM: &str = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";

/// What upstream says to what a definition's rules let through.
const LET_THROUGH: [&str; 1] =
    ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"];

#[test]
fn our_own_kind_is_checked_and_served_on_a_real_control_plane_beside_upstream_s_controller() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let audit = Audit::new();
    let [policy, log] = audit.flags();
    let often = "--controller-manager-flag=--horizontal-pod-autoscaler-sync-period=1s";
    let Some(plane) = ControlPlane::start(&[&policy, &log, often]) else {
        return;
    };
    let (kubectl, folder) = (plane.kubectl(&program), tempfile::tempdir().unwrap());
    let evenkeel = Evenkeel {
        kubeconfig: plane.kubeconfig(),
        folder: folder.path().to_owned(),
    };
    left_as_it_is(&kubectl, &evenkeel);
    kubectl.ok(&["delete", "hpa,deployment", "--all", "--cascade=foreground"]);
    there_and_back(&kubectl, &evenkeel);
    one_master_at_a_time(&audit);
    define(&kubectl);
    rules_and_defaults(&kubectl, &plane.kubeconfig());
    scale_and_status_are_apart(&kubectl);
}

/// Replicas changed when somebody asked the one that acts, and by that one.
fn one_master_at_a_time(audit: &Audit) {
    // Ours ran as the administrator; whoever applied the manifest again set two replicas, and it three once more.
    let ours = ("kubernetes-admin".to_owned(), 3);
    let expected = [ours.clone(), ours, (UPSTREAM.to_owned(), 4)];
    assert_eq!(audit.scales(), expected);
}

fn recorded(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/src/autoscaling/recorded");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let all = text.lines().map(|l| serde_json::from_str(l).unwrap());
    all.filter(|case: &Value| case["manifest"]["apiVersion"] == "autoscaling/v2")
        .collect()
}

fn rules_and_defaults(kubectl: &Kubectl, kubeconfig: &Path) {
    kubectl.ok(&["create", "namespace", "oracle"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let client = runtime::client::connect(Some(kubeconfig)).await.unwrap();
        refusals(&client).await;
        defaults(&client).await;
    });
}

/// What it answers to the same in our kind, without keeping it: the object, or what is wrong with it.
async fn created(client: &Client, manifest: &Value) -> Result<Value, Vec<String>> {
    let mut own = manifest.clone();
    own["apiVersion"] = k8s::own_kind::API_VERSION.into();
    let path = "/apis/evenkeel.dev/v1/namespaces/oracle/horizontalpodautoscalers?dryRun=All";
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(own.to_string().into_bytes()).unwrap();
    match client.request(request).await {
        Ok(object) => Ok(object),
        Err(kube::Error::Api(status)) => {
            let status = serde_json::to_value(&*status).unwrap();
            Err(sentences(&status))
        }
        Err(error) => Err(vec![error.to_string()]),
    }
}

/// The causes in a status, or its message where it has none.
fn sentences(status: &Value) -> Vec<String> {
    let causes = status["details"]["causes"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let causes = causes.into_iter().flatten();
    let mut said: Vec<String> = causes
        .map(|cause| format!("{}: {}", text(&cause["field"]), text(&cause["message"])))
        .collect();
    if said.is_empty() {
        return vec![text(&status["message"])];
    }
    // In which order several are said means nothing.
    said.sort();
    said
}

async fn refusals(client: &Client) {
    let (mut same, mut other) = (0, String::new());
    let mut accepted = Vec::new();
    for case in recorded("cases.jsonl") {
        let answer = created(client, &case["manifest"]).await;
        if case["status"].is_null() {
            assert!(answer.is_ok(), "{answer:?}: {}", case["manifest"]);
            continue;
        }
        let theirs = sentences(&case["status"]);
        let ours = answer.err().unwrap_or_else(|| {
            accepted.push(theirs[0].clone());
            vec!["(accepted)".to_owned()]
        });
        if ours == theirs {
            same += 1;
            continue;
        }
        for (whose, said) in [("upstream", theirs), ("ours", ours)] {
            writeln!(other, "{whose}:").unwrap();
            said.iter()
                .for_each(|line| writeln!(other, "  {line}").unwrap());
        }
        other.push('\n');
    }
    // The controller does not act on them: see docs/own-kind.md.
    assert_eq!(accepted, LET_THROUGH);
    let all = format!(
        "{same} are refused word for word as upstream's kind is, the others so:\n\n{}\n",
        other.trim_end()
    );
    expect_file!["own_kind/refusals.txt"].assert_eq(&all);
}

/// As the controller sees it: an empty list of metrics, which stays one, counts as the default.
async fn defaults(client: &Client) {
    for case in recorded("defaulted.jsonl") {
        let object = created(client, &case["manifest"]).await.unwrap();
        let plain = k8s::own_kind::to_plain(&object)["spec"].to_string();
        // Upstream's encoder leaves out what is empty; that is not defaulting.
        let plain = plain.replace(r#","values":[]"#, "");
        let stored = case["result"]["spec"].to_string();
        assert_eq!(plain, stored, "{}", case["manifest"]);
    }
}

const OWN: &str = "
apiVersion: evenkeel.dev/v1
kind: HorizontalPodAutoscaler
metadata: {name: apart}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}
  minReplicas: 2
  maxReplicas: 5
";

/// Nobody serves it here.
fn scale_and_status_are_apart(kubectl: &Kubectl) {
    kubectl.apply(OWN);
    let patch = |subresource: &str, patch: &str| {
        let mut arguments = vec!["patch", "ehpa", "apart", "--type=merge", "-p", patch];
        arguments.extend(Some(subresource).filter(|s| !s.is_empty()));
        kubectl.ok(&arguments)
    };
    let both = r#"{"spec":{"minReplicas":3},"status":{"currentReplicas":4,"reference":"Deployment/none"}}"#;
    let is = |replicas: &str| {
        let path = "jsonpath={.spec.minReplicas} {.status.currentReplicas} {.metadata.generation}";
        assert_eq!(kubectl.ok(&["get", "ehpa", "apart", "-o", path]), replicas);
    };
    patch("--subresource=status", both);
    is("2 4 1");
    patch("", both);
    is("3 4 2");
    kubectl.ok(&["scale", "ehpa/apart", "--replicas=5"]);
    is("5 4 3");
    let scale = ["get", "ehpa", "apart", "--subresource=scale", "-o"];
    let path = "jsonpath={.kind} {.spec.replicas} {.status.replicas}";
    assert_eq!(kubectl.ok(&[&scale[..], &[path]].concat()), "Scale 5 4");
    let refused = kubectl.refused(&["scale", "ehpa/apart", "--replicas=6"]);
    assert!(
        refused.contains("must be greater than or equal to `minReplicas`"),
        "{refused}"
    );
    let table = kubectl.ok(&["get", "ehpa", "apart", "--no-headers"]);
    let row: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(row[..5], ["apart", "Deployment/none", "5", "5", "4"]);
}
