//! The graph of built-in types is whole.

use super::merge_keys::facts;
use super::{CrdSchema, ListMerge, Scalar, Schema, Shape};
use serde_json::json;

#[test]
fn every_merge_fact_is_read_and_names_a_field() {
    let lines = include_str!("../../data/merge-keys.jsonl").lines().count();
    assert_eq!(facts().values().map(|of| of.len()).sum::<usize>(), lines);
}

#[test]
fn a_deployment_reaches_its_containers() {
    let deployment = Schema::builtin().root("apps", "v1", "Deployment").unwrap();
    let pod_spec = ["spec", "template", "spec"]
        .iter()
        .try_fold(deployment, |of, field| of.child(field))
        .unwrap();
    let Shape::Struct(pod_spec) = pod_spec.shape() else {
        panic!("a pod's spec is a struct")
    };
    assert_eq!(pod_spec.definition(), "io.k8s.api.core.v1.PodSpec");
    assert_eq!(pod_spec.go_name(), "PodSpec");
    let containers = pod_spec.field("containers").unwrap();
    assert!(containers.patch.merge);
    assert_eq!(containers.patch.merge_key.as_deref(), Some("name"));
    let Shape::List(container, ListMerge::Map(keys)) = containers.of.shape() else {
        panic!("containers are a list of maps")
    };
    assert_eq!(keys.iter().map(|k| &**k).collect::<Vec<_>>(), ["name"]);
    let limits = container
        .child("resources")
        .and_then(|r| r.child("limits"))
        .unwrap();
    let Shape::Map(quantity, false) = limits.shape() else {
        panic!("limits are a map")
    };
    assert!(matches!(quantity.shape(), Shape::Scalar(Scalar::Quantity)));
}

#[test]
fn every_served_kind_has_a_type() {
    for kind in super::KINDS {
        let root = Schema::builtin()
            .root(kind.group, kind.version, kind.kind)
            .unwrap();
        assert!(
            root.child("metadata").is_some() || kind.kind == "Scale",
            "{}",
            kind.kind
        );
    }
    assert!(Schema::builtin().len() > 500);
}

#[test]
fn a_custom_resource_has_its_own_graph() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "size": {"x-kubernetes-int-or-string": true},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }}}});
    let crd = CrdSchema {
        group: "example.com",
        version: "v1",
        kind: "Toy",
        plural: "toys",
        namespaced: true,
        schema: &schema,
    };
    let graph = Schema::from_crd(&crd);
    let root = graph.root("example.com", "v1", "Toy").unwrap();
    assert!(
        root.child("metadata")
            .and_then(|m| m.child("ownerReferences"))
            .is_some()
    );
    let spec = root.child("spec").unwrap();
    assert!(matches!(
        spec.child("size").unwrap().shape(),
        Shape::Scalar(Scalar::IntOrString)
    ));
    assert!(matches!(
        spec.child("parts").unwrap().shape(),
        Shape::List(_, ListMerge::Map(_))
    ));
    let Shape::Struct(free) = spec.child("free").unwrap().shape() else {
        panic!("a struct")
    };
    assert!(free.is_open());
}
