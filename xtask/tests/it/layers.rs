//! Fences between crates. A change to these lists is a change of the design, and says so.

use super::root;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// All that a pure crate may depend on, tests included.
const PURE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("objects", &[]),
    ("hpa", &["units"]),
    ("explain", &["hpa", "units"]),
    ("usage", &["units"]),
    ("node-plan", &["units"]),
];

/// What tests of pure crates may use besides.
const PURE_TESTS: &[&str] = &[
    "allocation-counter",
    "expect-test",
    "proptest",
    "serde_json",
    "flate2",
];

/// Ours from the ground up: a crate may depend on those before it, never on those behind it.
const ORDER: &[&str] = &[
    "units",
    "objects",
    "hpa",
    "explain",
    "usage",
    "node-plan",
    "k8s",
    "record",
    "runtime",
    "streaming",
    "lab-schema",
    "lab-auth",
    "lab-kinds",
    "metrics-server",
    "hpa-controller",
    "sample-app",
    "lab-server",
    "testkit",
    "lab-controllers",
    "lab-node",
    "evenkeel",
    "control-plane",
    "xtask",
];

/// The lab's controllers and node must also run against a real API server.
const CLIENTS_ONLY: &[&str] = &[
    "lab-controllers",
    "lab-node",
    "hpa-controller",
    "metrics-server",
];

/// What runs in any cluster knows nothing of the lab.
const FOR_ANY_CLUSTER: &[&str] = &["hpa-controller", "metrics-server", "sample-app"];

struct Package {
    dependencies: BTreeSet<String>,
    for_tests: BTreeSet<String>,
    folder: String,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--locked",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata must run");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints json");
    let list = metadata["packages"].as_array().expect("a list of packages");
    list.iter().map(package).collect()
}

fn package(value: &Value) -> (String, Package) {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let of_kind = |wanted: Option<&str>| {
        let all = value["dependencies"].as_array().into_iter().flatten();
        all.filter(|d| d["kind"].as_str() == wanted)
            .map(|d| text(&d["name"]))
            .collect()
    };
    let folder = text(&value["manifest_path"]);
    (
        text(&value["name"]),
        Package {
            dependencies: of_kind(None),
            for_tests: of_kind(Some("dev")),
            folder,
        },
    )
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn pure_crates_depend_on_nothing_but_their_list() {
    let packages = packages();
    let pure: BTreeSet<&String> = packages
        .iter()
        .filter(|(_, p)| p.folder.contains("/pure/"))
        .map(|(name, _)| name)
        .collect();
    let listed: BTreeSet<String> = PURE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        pure,
        listed.iter().collect(),
        "pure/ and the list in layers.rs differ"
    );
    for (name, allowed) in PURE {
        let package = &packages[*name];
        let extra: Vec<_> = package
            .dependencies
            .difference(&set(allowed))
            .cloned()
            .collect();
        assert!(extra.is_empty(), "{name} must not depend on {extra:?}");
        let extra: Vec<_> = package
            .for_tests
            .difference(&set(PURE_TESTS))
            .cloned()
            .collect();
        assert!(
            extra.is_empty(),
            "tests of {name} must not depend on {extra:?}"
        );
    }
}

#[test]
fn no_crate_knows_a_crate_above_it() {
    let packages = packages();
    let rank = |name: &str| ORDER.iter().position(|o| *o == name);
    for (name, package) in &packages {
        let own = rank(name);
        assert!(own.is_some(), "{name} has no place in ORDER");
        for dependency in &package.dependencies {
            if let Some(other) = rank(dependency) {
                assert!(
                    Some(other) < own,
                    "{name} must not depend on {dependency}, which lies above it"
                );
            }
        }
    }
}

#[test]
fn what_talks_to_the_api_never_links_the_server() {
    let packages = packages();
    for name in CLIENTS_ONLY {
        let links = packages[*name].dependencies.contains("lab-server");
        assert!(
            !links,
            "{name} must use the Kubernetes API, not the lab's server"
        );
    }
}

#[test]
fn what_runs_in_any_cluster_is_built_without_the_lab() {
    let packages = packages();
    for name in FOR_ANY_CLUSTER {
        let dependencies = &packages[*name].dependencies;
        let lab = dependencies.iter().find(|d| d.starts_with("lab-"));
        assert_eq!(lab, None, "{name} must do without the lab");
    }
}
