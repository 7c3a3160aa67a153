//! deploy/: the controller's manifests fit its flags, and deploy/evenkeel.yaml is its parts and nothing else.

use clap::Parser;
use expect_test::expect_file;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: hpa_controller::Args,
}

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    folder.join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

pub(crate) fn objects() -> Vec<Value> {
    let text = text("hpa-controller/components.yaml");
    let documents = text.split("\n---\n");
    documents
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

fn the(kind: &str) -> Value {
    objects().into_iter().find(|o| o["kind"] == kind).unwrap()
}

#[test]
fn everything_is_the_parts_put_together() {
    let head = "\
# All of Evenkeel that runs in a cluster: metrics-server and the HorizontalPodAutoscaler controller, as
# deploy/metrics-server/components.yaml and deploy/hpa-controller/components.yaml have them, and the definition of
# our own kind. Put together by a test: UPDATE_EXPECT=1 cargo test -p hpa-controller --test it manifests.
";
    let parts = [
        text("metrics-server/components.yaml"),
        text("hpa-controller/components.yaml"),
        crd(),
    ];
    expect_file![file("evenkeel.yaml")].assert_eq(&format!("{head}{}", parts.join("---\n")));
}

/// The definition of our own kind, as YAML.
fn crd() -> String {
    let head = "\
# HorizontalPodAutoscalers of evenkeel.dev/v1. Written by a test from edge/k8s/src/own_kind:
# UPDATE_EXPECT=1 cargo test -p hpa-controller --test it manifests. See docs/own-kind.md.
";
    let options = serde_saphyr::ser_options! {
        min_fold_chars: usize::MAX,
        prefer_block_scalars: false,
    };
    let text = serde_saphyr::to_string_with_options(&k8s::own_kind::definition(), options);
    format!("{head}{}\n", text.unwrap().trim_end())
}

#[test]
fn the_definition_of_our_kind_is_what_the_program_knows() {
    let name = "horizontalpodautoscalers.evenkeel.dev.yaml";
    for place in ["crds", "helm/evenkeel/crds"] {
        expect_file![file(&format!("{place}/{name}"))].assert_eq(&crd());
    }
    let read: Value = serde_saphyr::from_str(&crd()).unwrap();
    assert_eq!(read, k8s::own_kind::definition());
}

#[test]
fn beside_upstreams_controller_only_our_kind_is_served() {
    let components = text("hpa-controller/components.yaml");
    let at = components.find("apiVersion:").unwrap();
    let head = "\
# The HorizontalPodAutoscaler controller by Evenkeel, for clusters whose own controller stays on (EKS, GKE, AKS):
# deploy/hpa-controller/components.yaml, but that it serves autoscalers of evenkeel.dev/v1 alone. Apply deploy/crds
# first; evenkeel adopt moves autoscalers over. The image is yours to build. See docs/own-kind.md.
";
    let port = "        - --secure-port=10257\n";
    let serve = format!("{port}        - --serve=evenkeel.dev/v1\n");
    let changed = components[at..].replacen(port, &serve, 1);
    expect_file![file("hpa-controller/own-kind.yaml")].assert_eq(&format!("{head}{changed}"));
    let flags = ["hpa-controller", "--serve=evenkeel.dev/v1"];
    let args = Program::try_parse_from(flags).unwrap().args;
    assert_eq!(args.serve, [hpa_controller::Kind::Evenkeel]);
    let both = ["hpa-controller", "--serve=autoscaling/v2,evenkeel.dev/v1"];
    assert_eq!(Program::try_parse_from(both).unwrap().args.serve.len(), 2);
    let none = Program::try_parse_from(["hpa-controller"]).unwrap().args;
    assert_eq!(none.serve, [hpa_controller::Kind::Autoscaling]);
    let wrong = Program::try_parse_from(["hpa-controller", "--serve=autoscaling/v1"]);
    assert!(
        wrong
            .unwrap_err()
            .to_string()
            .contains("autoscaling/v2 and evenkeel.dev/v1")
    );
}

#[test]
fn the_flags_are_accepted_and_the_probes_ask_the_port_that_is_served() {
    let deployment = the("Deployment");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let flags = container["args"].as_array().unwrap();
    let flags = flags.iter().map(|flag| flag.as_str().unwrap());
    let program = Program::try_parse_from(std::iter::once("hpa-controller").chain(flags));
    let args = program.unwrap().args;
    args.validate().unwrap();
    assert!(args.leader.leader_elect);
    assert_eq!(deployment["spec"]["replicas"], 2);
    let port = &container["ports"][0];
    assert_eq!(port["containerPort"], args.serving.secure_port);
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port["name"]);
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(container["image"], format!("evenkeel/evenkeel:{version}"));
    // Nothing is written: the certificate lives in memory.
    assert_eq!(args.serving.cert_dir, None);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["securityContext"]["runAsNonRoot"], true);
}

#[test]
fn the_lease_that_may_be_written_is_the_one_that_is_held() {
    let role = the("Role");
    let named = &role["rules"][1]["resourceNames"][0];
    let program = Program::try_parse_from(["hpa-controller"]).unwrap();
    let leader = program.args.leader;
    assert_eq!(*named, leader.leader_elect_resource_name);
    let namespace = &role["metadata"]["namespace"];
    assert_eq!(*namespace, leader.leader_elect_resource_namespace);
}
