//! What every user of kubectl does, with the oldest and the newest kubectl there is.

use crate::lab::{Kubectl, Lab};
use crate::tools;

fn with_each_kubectl(test: impl Fn(&Kubectl)) {
    for program in tools::kubectls() {
        let lab = Lab::start(&[]);
        test(&lab.kubectl(&program));
    }
}

#[test]
fn the_cluster_says_what_it_is() {
    with_each_kubectl(|kubectl| {
        assert!(
            kubectl
                .ok(&["version", "--output=yaml"])
                .contains("gitVersion: v1.36.2")
        );
        assert!(kubectl.ok(&["cluster-info"]).contains("is running at"));
        let versions = kubectl.ok(&["api-versions"]);
        for version in [
            "v1",
            "apps/v1",
            "autoscaling/v1",
            "autoscaling/v2",
            "batch/v1",
        ] {
            assert!(
                versions.lines().any(|line| line == version),
                "{version} in {versions}"
            );
        }
        let resources = kubectl.ok(&["api-resources"]);
        assert!(
            resources.contains("horizontalpodautoscalers"),
            "{resources}"
        );
        assert_eq!(
            kubectl.ok(&["auth", "can-i", "create", "pods"]).trim(),
            "yes"
        );
        assert!(kubectl.ok(&["explain", "hpa.spec"]).contains("maxReplicas"));
        kubectl.until(&["get", "nodes"], |out| {
            out.contains("node-1") && out.contains(" Ready ")
        });
    });
}

#[test]
fn objects_are_created_changed_and_refused_in_upstreams_words() {
    with_each_kubectl(|kubectl| {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";
        assert_eq!(kubectl.apply(map), "configmap/a created\n");
        assert_eq!(kubectl.apply(map), "configmap/a unchanged\n");
        assert_eq!(
            kubectl.apply(&map.replace("k: v", "k: w")),
            "configmap/a configured\n"
        );
        assert_eq!(
            kubectl.ok(&["label", "configmap", "a", "tier=web"]),
            "configmap/a labeled\n"
        );
        assert_eq!(
            kubectl.ok(&["get", "cm", "-l", "tier=web", "-o", "name"]),
            "configmap/a\n"
        );
        let patch = r#"[{"op":"replace","path":"/data/k","value":"x"}]"#;
        kubectl.ok(&["patch", "cm", "a", "--type=json", "-p", patch]);
        assert_eq!(
            kubectl.ok(&["get", "cm", "a", "-o", "jsonpath={.data.k}"]),
            "x"
        );
        assert_eq!(
            kubectl.ok(&["delete", "cm", "a"]).trim(),
            "configmap \"a\" deleted".to_owned() + deleted_suffix(kubectl)
        );
        assert_eq!(
            kubectl.refused(&["get", "cm", "a"]),
            "Error from server (NotFound): configmaps \"a\" not found\n"
        );
        let refused = kubectl.refused(&["create", "configmap", "b", "-n", "nowhere"]);
        assert!(
            refused.contains("namespaces \"nowhere\" not found"),
            "{refused}"
        );
    });
}

/// From 1.34 on, kubectl says from which namespace.
fn deleted_suffix(kubectl: &Kubectl) -> &'static str {
    let version = kubectl.ok(&["version", "--client", "--output=yaml"]);
    let minor = version
        .lines()
        .find_map(|l| l.trim().strip_prefix("minor: "));
    let minor = minor
        .and_then(|m| m.trim_matches('"').parse().ok())
        .unwrap_or(0);
    if minor >= 34 {
        " from default namespace"
    } else {
        ""
    }
}

#[test]
fn an_invalid_hpa_is_refused_as_upstream_refuses_it() {
    with_each_kubectl(|kubectl| {
        let hpa = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n\
                   spec: {minReplicas: 5, maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}\n";
        let output = kubectl.with_input(&["apply", "-f", "-"], hpa);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains(
                "The HorizontalPodAutoscaler \"a\" is invalid: spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"
            ),
            "{text}"
        );
    });
}

#[test]
fn custom_resources_can_be_defined_and_used() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::start(&[]);
    let kubectl = lab.kubectl(&program);
    let crd = include_str!("crd.yaml");
    assert!(kubectl.apply(crd).contains("created"));
    kubectl.until(&["get", "crd", "boats.example.com"], |out| {
        out.contains("boats.example.com")
    });
    let boat = "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: ida}\nspec: {sails: 3}\n";
    let created = || {
        kubectl
            .with_input(&["apply", "-f", "-"], boat)
            .status
            .success()
    };
    assert!(crate::lab::eventually(created));
    let rows = kubectl.ok(&["get", "boats"]);
    assert!(rows.contains("SAILS") && rows.contains("ida"), "{rows}");
    let wrong = boat.replace("sails: 3", "sails: many");
    let refused = kubectl.with_input(&["apply", "-f", "-"], &wrong);
    assert!(!refused.status.success());
    kubectl.ok(&["delete", "crd", "boats.example.com"]);
    assert!(crate::lab::eventually(|| !kubectl
        .output(&["get", "boats"])
        .status
        .success()));
}

#[test]
fn strangers_get_health_and_nothing_else() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::start(&[]);
    let kubectl = lab.kubectl(&program);
    let refused = kubectl.refused(&["get", "pods", "--as=nobody"]);
    assert_eq!(
        refused,
        "Error from server (Forbidden): pods is forbidden: User \"nobody\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"\n"
    );
    assert_eq!(kubectl.ok(&["get", "--raw=/readyz"]), "ok");
}
