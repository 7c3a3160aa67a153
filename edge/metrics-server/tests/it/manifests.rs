//! deploy/metrics-server: the manifests name upstream's objects, and their flags are ours.

use crate::Program;
use clap::Parser;
use serde_json::Value;
use std::path::Path;

fn objects(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/metrics-server");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

fn names(objects: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = |object: &Value| {
        format!(
            "{} {}",
            text(&object["kind"]),
            text(&object["metadata"]["name"])
        )
    };
    objects.iter().map(name).collect()
}

fn the<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|o| o["kind"] == kind).unwrap()
}

/// The flags of the only container, as the program understands them.
fn args(objects: &[Value]) -> metrics_server::Args {
    let container = &the(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let flags = container["args"].as_array().unwrap();
    let flags = flags.iter().map(|flag| flag.as_str().unwrap());
    let program = Program::try_parse_from(std::iter::once("metrics-server").chain(flags));
    program.unwrap().args
}

const NINE: [&str; 9] = [
    "ServiceAccount metrics-server",
    "ClusterRole system:aggregated-metrics-reader",
    "ClusterRole system:metrics-server",
    "RoleBinding metrics-server-auth-reader",
    "ClusterRoleBinding metrics-server:system:auth-delegator",
    "ClusterRoleBinding system:metrics-server",
    "Service metrics-server",
    "Deployment metrics-server",
    "APIService v1beta1.metrics.k8s.io",
];

#[test]
fn the_components_are_upstreams_nine_objects() {
    assert_eq!(names(&objects("components.yaml")), NINE);
}

#[test]
fn high_availability_adds_a_replica_on_another_node_and_a_budget() {
    let objects = objects("high-availability.yaml");
    let mut expected = NINE.to_vec();
    expected.insert(8, "PodDisruptionBudget metrics-server");
    assert_eq!(names(&objects), expected);
    let spec = &the(&objects, "Deployment")["spec"];
    assert_eq!(spec["replicas"], 2);
    let affinity = &spec["template"]["spec"]["affinity"]["podAntiAffinity"];
    let term = &affinity["requiredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(term["topologyKey"], "kubernetes.io/hostname");
    let budget = &the(&objects, "PodDisruptionBudget")["spec"];
    assert_eq!(budget["minAvailable"], 1);
}

#[test]
fn the_two_variants_differ_in_nothing_else() {
    let mut one = objects("components.yaml");
    let mut two = objects("high-availability.yaml");
    two.retain(|object| object["kind"] != "PodDisruptionBudget");
    for objects in [&mut one, &mut two] {
        let deployment = objects.iter_mut().find(|o| o["kind"] == "Deployment");
        let spec = deployment.unwrap()["spec"].as_object_mut().unwrap();
        spec.remove("replicas");
        spec.remove("strategy");
        let pod = spec["template"]["spec"].as_object_mut().unwrap();
        pod.remove("affinity");
    }
    assert_eq!(one, two);
}

#[test]
fn the_flags_are_accepted_and_the_probes_ask_the_port_that_is_served() {
    for file in ["components.yaml", "high-availability.yaml"] {
        let objects = objects(file);
        let args = args(&objects);
        args.validate().unwrap();
        let container = &the(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        let port = &container["ports"][0];
        assert_eq!(port["containerPort"], args.serving.secure_port);
        for probe in ["livenessProbe", "readinessProbe"] {
            assert_eq!(container[probe]["httpGet"]["port"], port["name"]);
        }
        let target = &the(&objects, "Service")["spec"]["ports"][0]["targetPort"];
        assert_eq!(*target, port["name"]);
        // The only place that can be written, as the root file system cannot.
        let mount = &container["volumeMounts"][0]["mountPath"];
        assert_eq!(
            mount.as_str().unwrap(),
            args.serving.cert_dir.to_str().unwrap()
        );
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(container["image"], format!("evenkeel/evenkeel:{version}"));
    }
}
