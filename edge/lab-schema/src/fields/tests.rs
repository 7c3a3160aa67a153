//! What strict decoding refuses, and what it lets pass.

use super::{Patched, Validation, check, check_patched, drop_empty, duplicates};
use crate::{Schema, TypeRef};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn kind(group: &str, version: &str, kind: &str) -> TypeRef<'static> {
    Schema::builtin().root(group, version, kind).unwrap()
}

fn refused(of: TypeRef<'_>, mut object: Value, expect: &Expect) {
    let error = check(of, None, Validation::Strict, &mut object).unwrap_err();
    expect.assert_eq(&format!(
        "{} {}: {}",
        error.code, error.reason, error.message
    ));
}

#[test]
fn an_unknown_field_is_refused_when_strict() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"foo": 1, "template": {"spec": {
        "containers": [{"name": "a", "bar": {}}]}}}});
    refused(
        kind("apps", "v1", "Deployment"),
        object,
        &expect![[
            r#"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", unknown field "spec.template.spec.containers[0].bar""#
        ]],
    );
}

#[test]
fn an_unknown_field_warns_and_goes() {
    let mut object = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"foo": 1}});
    let warnings = check(kind("", "v1", "Pod"), None, Validation::Warn, &mut object).unwrap();
    assert_eq!(warnings, [r#"unknown field "spec.foo""#]);
    assert_eq!(
        object,
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {}})
    );
}

#[test]
fn wrong_types_are_named_as_go_names_them() {
    let hpa = |spec: Value| json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "spec": spec});
    refused(
        kind("autoscaling", "v1", "HorizontalPodAutoscaler"),
        hpa(json!({"maxReplicas": "many"})),
        &expect![[
            r#"400 BadRequest: HorizontalPodAutoscaler in version "v1" cannot be handled as a HorizontalPodAutoscaler: json: cannot unmarshal string into Go struct field HorizontalPodAutoscalerSpec.spec.maxReplicas of type int32"#
        ]],
    );
    let deployment = |container: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": container}}}});
    let of = kind("apps", "v1", "Deployment");
    refused(
        of,
        deployment(json!([{"name": "a", "env": [{"name": "A", "value": 1}]}])),
        &expect![[
            r#"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"#
        ]],
    );
    refused(
        of,
        deployment(json!({"name": "a"})),
        &expect![[
            r#"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"#
        ]],
    );
    refused(
        of,
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1.5}}),
        &expect![[
            r#"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"#
        ]],
    );
    refused(
        of,
        deployment(json!([{"resources": {"limits": {"cpu": "much"}}}])),
        &expect![[
            r#"400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"#
        ]],
    );
    refused(
        kind("", "v1", "Secret"),
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "no base64!"}}),
        &expect![[
            r#"400 BadRequest: Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 2"#
        ]],
    );
}

#[test]
fn what_go_would_not_keep_goes() {
    let mut object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"creationTimestamp": null, "labels": {"a": null}, "annotations": {}},
        "spec": {"nodeName": null, "volumes": [], "containers": [
            {"name": "a", "resources": {"limits": {"cpu": 0.1, "memory": "1024Mi"}, "requests": {"cpu": "0.5"}}}]},
        "status": {"startTime": "2026-01-01T12:00:00.5+01:00"},
    });
    let of = kind("", "v1", "Pod");
    check(of, None, Validation::Strict, &mut object).unwrap();
    drop_empty(of, &mut object);
    assert_eq!(
        object,
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": ""}},
            "spec": {"containers": [{"name": "a", "resources":
                {"limits": {"cpu": "100m", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}]},
            "status": {"startTime": "2026-01-01T11:00:00Z"},
        })
    );
}

#[test]
fn duplicates_are_found_in_the_text() {
    let text = br#"{"a": 1, "b": [{"c": 1, "c": 2}], "a": {"d": 1, "d": 1}}"#;
    assert_eq!(
        duplicates(text),
        [
            r#"duplicate field "b[0].c""#,
            r#"duplicate field "a""#,
            r#"duplicate field "a.d""#
        ]
    );
    assert_eq!(duplicates(b"{"), Vec::<String>::new());
}

#[test]
fn a_patched_object_is_refused_with_the_patch() {
    let patch = json!({"spec": {"replicas": "abc"}});
    let mut object =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "abc"}});
    let of = kind("apps", "v1", "Deployment");
    let how = Patched::Strategic(&patch);
    let error = check_patched(of, how, Validation::Warn, &mut object.clone()).unwrap_err();
    expect![[r#" "" is invalid: patch: Invalid value: "map[spec:map[replicas:abc]]": unrecognized type: int32"#]]
        .assert_eq(&error.message);
    let error = check_patched(of, Patched::Json, Validation::Warn, &mut object).unwrap_err();
    expect![[r#" "" is invalid: patch: Invalid value: "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"replicas\":\"abc\"}}": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"#]]
        .assert_eq(&error.message);
}

#[test]
fn a_custom_resource_definition_keeps_any_default() {
    let mut crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "spec": {"versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "a": {"type": "integer", "default": 5, "enum": [5, "x"]},
                "b": {"type": "object", "default": {"c": 1}, "additionalProperties": true},
                "d": {"type": "array", "items": {"type": "string"}}}}}}]}});
    let before = crd.clone();
    let of = kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    check(of, None, Validation::Strict, &mut crd).unwrap();
    drop_empty(of, &mut crd);
    assert_eq!(crd, before);
}
