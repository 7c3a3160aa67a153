//! What is refused, in the words of a real API server.

use super::{validate_create, validate_scale, validate_update};
use crate::resources::find;
use crate::strategy::{default, prepare_create};
use expect_test::{Expect, expect};
use k8s::features::Gates;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Defaults, prepares and validates; the problems, one a line.
fn problems(group: &str, name: &str, mut object: Value) -> String {
    let version = if group == "autoscaling" { "v2" } else { "v1" };
    let resource = find(group, version, name).expect("a resource");
    object["metadata"]["uid"] = "u".into();
    if resource.namespaced {
        object["metadata"]["namespace"] = "default".into();
    }
    default(group, version, &resource.kind, &mut object);
    prepare_create(resource, &mut object);
    lines(validate_create(Gates::default(), resource, &object))
}

fn lines(errors: Vec<k8s::status::FieldError>) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

fn check(actual: String, expected: Expect) {
    expected.assert_eq(&actual);
}

fn deployment() -> Value {
    json!({"metadata": {"name": "backend-app"}, "spec": {"selector": {"matchLabels": {"app": "backend-app"}},
        "template": {"metadata": {"labels": {"app": "backend-app"}},
                     "spec": {"containers": [{"name": "backend-app", "image": "i:1"}]}}}})
}

fn pod(container: Value) -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}})
}

#[test]
fn good_objects_have_no_problems() {
    for (group, name, object) in [
        ("apps", "deployments", deployment()),
        ("", "pods", pod(json!({"name": "c", "image": "i"}))),
        (
            "",
            "services",
            json!({"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 8080}]}}),
        ),
        (
            "",
            "configmaps",
            json!({"metadata": {"name": "c"}, "data": {"a.b": "c"}}),
        ),
        (
            "",
            "secrets",
            json!({"metadata": {"name": "c"}, "stringData": {"a": "c"}}),
        ),
        ("", "namespaces", json!({"metadata": {"name": "eks-work"}})),
        ("", "serviceaccounts", json!({"metadata": {"name": "s"}})),
        (
            "batch",
            "jobs",
            json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}),
        ),
        (
            "batch",
            "cronjobs",
            json!({"metadata": {"name": "j"}, "spec": {"schedule": "*/5 * * * mon-fri", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}}),
        ),
        (
            "rbac.authorization.k8s.io",
            "clusterroles",
            json!({"metadata": {"name": "system:x"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        ),
        (
            "rbac.authorization.k8s.io",
            "rolebindings",
            json!({"metadata": {"name": "x:y"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "n"}]}),
        ),
        (
            "apiregistration.k8s.io",
            "apiservices",
            json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true, "service": {"name": "m", "namespace": "n"}}}),
        ),
        (
            "autoscaling",
            "horizontalpodautoscalers",
            json!({"metadata": {"name": "h"}, "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}}}),
        ),
    ] {
        assert_eq!(problems(group, name, object), "", "{name}");
    }
}

#[test]
fn names_and_labels_are_held_to_their_form() {
    let mut all = problems("", "configmaps", json!({"metadata": {"name": "Bad_Name"}}));
    all += &problems("", "configmaps", json!({"metadata": {}}));
    all += &problems(
        "",
        "namespaces",
        json!({"metadata": {"name": "a.b", "namespace": "x"}}),
    );
    all += &problems(
        "",
        "configmaps",
        json!({"metadata": {"name": "c", "labels": {"a b": "-"}, "annotations": {"/": ""}, "finalizers": ["x y"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "", "uid": "u"}]}}),
    );
    all += &problems(
        "rbac.authorization.k8s.io",
        "roles",
        json!({"metadata": {"name": "a/b"}}),
    );
    check(
        all,
        expect![[r#"
        metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        metadata.name: Required value: name or generateName is required
        metadata.name: Invalid value: "a.b": must not contain dots
        metadata.namespace: Forbidden: not allowed on this type
        metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
        metadata.annotations: Invalid value: "/": prefix part must be non-empty
        metadata.annotations: Invalid value: "/": name part must be non-empty
        metadata.annotations: Invalid value: "/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.ownerReferences.kind: Invalid value: "": must not be empty
        metadata.ownerReferences.name: Invalid value: "": must not be empty
        metadata.finalizers: Invalid value: "x y": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.name: Invalid value: "a/b": may not contain '/'
    "#]],
    );
}

#[test]
fn containers_say_what_they_lack() {
    let mut all = problems("", "pods", json!({"metadata": {"name": "p"}, "spec": {}}));
    all += &problems(
        "",
        "pods",
        pod(
            json!({"name": "Bad", "ports": [{"containerPort": 0}, {"containerPort": 70000, "name": "toolongforaportname"}]}),
        ),
    );
    let mut twice = pod(json!({"name": "c", "image": "i"}));
    twice["spec"]["containers"] = json!([{"name": "c", "image": "i"}, {"name": "c", "image": "i", "imagePullPolicy": "Sometimes"}]);
    twice["spec"]["initContainers"] =
        json!([{"name": "c", "image": "i", "livenessProbe": {"exec": {"command": ["a"]}}}]);
    twice["spec"]["restartPolicy"] = "Maybe".into();
    all += &problems("", "pods", twice);
    check(
        all,
        expect![[r#"
        spec.containers: Required value
        spec.containers[0].name: Invalid value: "Bad": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
        spec.containers[0].image: Required value
        spec.containers[0].ports[0].containerPort: Required value
        spec.containers[0].ports[1].name: Invalid value: "toolongforaportname": must be no more than 15 characters
        spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive
        spec.containers[1].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
        spec.containers[1].name: Duplicate value: "c"
        spec.initContainers[0].name: Duplicate value: "c"
        spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always
        spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"
    "#]],
    );
}

#[test]
fn resources_environment_mounts_and_probes_are_checked() {
    let all = problems(
        "",
        "pods",
        pod(json!({
            "name": "c", "image": "i",
            "resources": {"requests": {"cpu": "500m", "memory": "-1"}, "limits": {"cpu": "250m", "gpu": "1", "example.com/gpu": "1500m"}},
            "env": [{"name": ""}, {"name": "A=B"}, {"name": "C", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "D", "valueFrom": {}}, {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "spec.none"}}}],
            "envFrom": [{}],
            "volumeMounts": [{"name": "nothing", "mountPath": "/a"}, {"name": "", "mountPath": "/a"}],
            "livenessProbe": {"httpGet": {"port": 0}, "successThreshold": 2},
            "readinessProbe": {"exec": {}, "tcpSocket": {"port": "http"}, "periodSeconds": -1},
            "startupProbe": {},
            "lifecycle": {"preStop": {}},
        })),
    );
    check(
        all,
        expect![[r#"
        spec.containers[0].env[0].name: Required value
        spec.containers[0].env[1].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='
        spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty
        spec.containers[0].env[3].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`
        spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.none": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"
        spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`
        spec.containers[0].volumeMounts[0].name: Not found: "nothing"
        spec.containers[0].volumeMounts[1].name: Required value
        spec.containers[0].volumeMounts[1].name: Not found: ""
        spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique
        spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer
        spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified
        spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers
        spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer
        spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified
        spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers
        spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0
        spec.containers[0].resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 250m
        spec.containers[0].lifecycle.preStop: Required value: must specify a handler type
        spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive
        spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1
        spec.containers[0].readinessProbe.exec.command: Required value
        spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type
        spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0
        spec.containers[0].startupProbe: Required value: must specify a handler type
    "#]],
    );
}

#[test]
fn a_deployments_selector_must_select_its_template() {
    let mut other = deployment();
    other["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let mut all = problems("apps", "deployments", other);
    let mut none = deployment();
    none["spec"]["selector"] = json!({});
    none["spec"]["replicas"] = (-1).into();
    none["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    none["spec"]["strategy"] = json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}});
    none["spec"]["progressDeadlineSeconds"] = 0.into();
    all += &problems("apps", "deployments", none);
    let mut missing = deployment();
    missing["spec"]["selector"] = Value::Null;
    missing["spec"]["strategy"] = json!({"type": "Recreate", "rollingUpdate": {}});
    all += &problems("apps", "deployments", missing);
    check(
        all,
        expect![[r#"
        spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`
        spec.replicas: Invalid value: -1: must be greater than or equal to 0
        spec.selector: Invalid value: {}: empty selector is invalid for deployment
        spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
        spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0
        spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds
        spec.selector: Required value
        spec.template.metadata.labels: Invalid value: {"app":"backend-app"}: `selector` does not match template `labels`
        spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'
    "#]],
    );
}

fn update(group: &str, name: &str, old: &Value, change: impl Fn(&mut Value)) -> String {
    let resource = find(group, "v1", name).expect("a resource");
    let mut old = old.clone();
    old["metadata"]["namespace"] = "default".into();
    old["metadata"]["uid"] = "u".into();
    default(group, "v1", &resource.kind, &mut old);
    prepare_create(resource, &mut old);
    let mut new = old.clone();
    change(&mut new);
    lines(validate_update(
        Gates::default(),
        resource,
        None,
        &old,
        &new,
    ))
}

#[test]
fn what_may_not_change_does_not() {
    let mut all = update("apps", "deployments", &deployment(), |new| {
        new["spec"]["selector"]["matchLabels"]["app"] = "x".into();
        new["spec"]["template"]["metadata"]["labels"]["app"] = "x".into();
        new["metadata"]["name"] = "other".into();
    });
    let running = pod(json!({"name": "c", "image": "i"}));
    all += &update("", "pods", &running, |new| {
        new["spec"]["containers"][0]["command"] = json!(["x"]);
    });
    all += &update("", "pods", &running, |new| {
        new["spec"]["containers"] = json!([]);
    });
    assert_eq!(
        update(
            "",
            "pods",
            &running,
            |new| new["spec"]["containers"][0]["image"] = "j:2".into()
        ),
        ""
    );
    let service = json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "127.32.64.9", "ports": [{"port": 80}]}});
    all += &update("", "services", &service, |new| {
        new["spec"]["clusterIP"] = "127.32.64.10".into();
        new["spec"]["clusterIPs"] = json!(["127.32.64.10"]);
    });
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}});
    all += &update("batch", "jobs", &job, |new| {
        new["spec"]["completions"] = 4.into();
    });
    assert!(
        update("batch", "jobs", &job, |new| new["spec"]["template"]["spec"]
            ["containers"][0]["image"] =
            "j".into())
        .ends_with(": field is immutable\n")
    );
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}});
    all += &update(
        "rbac.authorization.k8s.io",
        "rolebindings",
        &binding,
        |new| new["roleRef"]["name"] = "x".into(),
    );
    let secret = json!({"metadata": {"name": "s"}, "immutable": true, "data": {"a": "eA=="}});
    all += &update("", "secrets", &secret, |new| {
        new["type"] = "x".into();
        new["data"] = json!({});
    });
    check(
        all,
        expect![[r#"
        metadata.name: Invalid value: "other": field is immutable
        spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable
        spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
        spec.containers: Required value
        spec.containers: Forbidden: pod updates may not add or remove containers
        spec.clusterIPs[0]: Invalid value: ["127.32.64.10"]: may not change once set
        spec.completions: Invalid value: 4: field is immutable
        roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"x"}: cannot change roleRef
        type: Invalid value: "x": field is immutable
        data: Forbidden: field is immutable when `immutable` is set
    "#]],
    );
}

#[test]
fn services_config_and_schedules_are_checked() {
    let mut all = problems(
        "",
        "services",
        json!({"metadata": {"name": "s"}, "spec": {}}),
    );
    all += &problems(
        "",
        "services",
        json!({"metadata": {"name": "S"}, "spec": {"type": "Odd", "ports": [{"port": 0}, {"port": 80, "name": "a", "protocol": "X"}, {"port": 80, "name": "a", "nodePort": 30000}]}}),
    );
    all += &problems(
        "",
        "services",
        json!({"metadata": {"name": "s"}, "spec": {"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30000}], "allocateLoadBalancerNodePorts": true}}),
    );
    all += &problems(
        "",
        "services",
        json!({"metadata": {"name": "s"}, "spec": {"type": "ExternalName"}}),
    );
    all += &problems(
        "",
        "configmaps",
        json!({"metadata": {"name": "c"}, "data": {"a/b": "", "x": ""}, "binaryData": {"x": ""}}),
    );
    all += &problems(
        "",
        "secrets",
        json!({"metadata": {"name": "c"}, "type": "kubernetes.io/tls", "data": {"a b": ""}}),
    );
    check(
        all,
        expect![[r#"
        spec.ports: Required value
        metadata.name: Invalid value: "S": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
        spec.ports[0].name: Required value
        spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
        spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive
        spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"
        spec.ports[2].name: Duplicate value: "a"
        spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"
        spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'
        spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'
        spec.externalName: Required value
        data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        data[x]: Invalid value: "x": duplicate of key present in binaryData
        data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        data[tls.crt]: Required value
        data[tls.key]: Required value
    "#]],
    );
}

#[test]
fn schedules_are_checked_in_their_parsers_words() {
    let mut all = String::new();
    for schedule in [
        "",
        "* * *",
        "70 * * * *",
        "x * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "1-2-3 * * * *",
        "@often",
        "TZ=UTC * * * * *",
        "0 0 0 * *",
    ] {
        all += &problems(
            "batch",
            "cronjobs",
            json!({"metadata": {"name": "c"}, "spec": {"schedule": schedule, "timeZone": "Mars/Base", "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}}}}),
        );
    }
    check(
        all,
        expect![[r#"
            spec.schedule: Required value
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "70 * * * *": end of range (70) above maximum (59): 70
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "x * * * *": failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "5-1 * * * *": beginning of range (5) beyond end of range (1): 5-1
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "*/0 * * * *": step of range should be a positive number: */0
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "1-2-3 * * * *": too many hyphens: 1-2-3
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "@often": unrecognized descriptor: @often
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            spec.schedule: Invalid value: "0 0 0 * *": beginning of range (0) below minimum (1): 0
            spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
        "#]],
    );
}

#[test]
fn events_are_about_objects_of_their_namespace() {
    let mut all = problems(
        "",
        "events",
        json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "other"}}),
    );
    all += &problems(
        "",
        "events",
        json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}, "reason": "R"}),
    );
    all += &problems(
        "events.k8s.io",
        "events",
        json!({"metadata": {"name": "e"}, "regarding": {"namespace": "default"}, "deprecatedCount": 2}),
    );
    all += &problems(
        "events.k8s.io",
        "events",
        json!({"metadata": {"name": "e"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal"}),
    );
    check(
        all,
        expect![[r#"
        involvedObject.namespace: Invalid value: "other": does not match event.namespace
        eventTime: Required value
        type: Invalid value: "": has invalid value: 
        count: Invalid value: "": needs to be unset
        reportingController: Required value
        reportingController: Invalid value: "": name part must be non-empty
        reportingController: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        reportingInstance: Required value
        action: Required value
        reason: Required value
    "#]],
    );
}

#[test]
fn roles_budgets_definitions_and_autoscalers_are_checked() {
    let mut all = problems(
        "rbac.authorization.k8s.io",
        "roles",
        json!({"metadata": {"name": "r"}, "rules": [{"nonResourceURLs": ["/x"], "verbs": []}, {"verbs": ["get"]}]}),
    );
    all += &problems(
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        json!({"metadata": {"name": "r"}, "roleRef": {"kind": "Role"}, "subjects": [{"kind": "ServiceAccount", "name": "x"}, {"kind": "Robot", "name": "r"}]}),
    );
    all += &problems(
        "policy",
        "poddisruptionbudgets",
        json!({"metadata": {"name": "p"}, "spec": {"minAvailable": "150%", "maxUnavailable": "x"}}),
    );
    all += &problems(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        json!({"metadata": {"name": "x"}, "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "served": true, "storage": false}]}}),
    );
    all += &problems(
        "apiregistration.k8s.io",
        "apiservices",
        json!({"metadata": {"name": "v1.x"}, "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"name": "m"}}}),
    );
    all += &problems(
        "autoscaling",
        "horizontalpodautoscalers",
        json!({"metadata": {"name": "h"}, "spec": {"minReplicas": 3, "maxReplicas": 1, "scaleTargetRef": {}}}),
    );
    all += &lines(validate_scale(&json!({"spec": {"replicas": -2}})));
    check(
        all,
        expect![[r#"
        rules[0].verbs: Required value: verbs must contain at least one value
        rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs
        rules[1].apiGroups: Required value: resource rules must supply at least one api group
        rules[1].resources: Required value: resource rules must supply at least one resource
        roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"
        roleRef.name: Required value
        subjects[0].namespace: Required value
        subjects[1].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"
        spec: Invalid value: {"maxUnavailable":"x","minAvailable":"150%"}: minAvailable and maxUnavailable cannot be both set
        spec.minAvailable: Invalid value: "150%": must not be greater than 100%
        spec.maxUnavailable: Invalid value: "x": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')
        metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group
        spec.scope: Required value
        spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required
        spec.versions: Invalid value: [{"name":"v1","served":true,"storage":false}]: must have exactly one version marked as storage version
        metadata.name: Invalid value: "v1.x": must be `spec.version+"."+spec.group`: "v1beta1.metrics.k8s.io"
        spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000
        spec.versionPriority: Invalid value: 0: must be positive and less than 1000
        spec.service.namespace: Required value
        spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`
        spec.scaleTargetRef.kind: Required value
        spec.scaleTargetRef.name: Required value
        spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group
        spec.replicas: Invalid value: -2: must be greater than or equal to 0
    "#]],
    );
}

/// Any JSON that is not deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9%.:/-]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let key = prop_oneof![
            Just("metadata"),
            Just("spec"),
            Just("status"),
            Just("template"),
            Just("containers"),
            Just("name"),
            Just("resources"),
            Just("limits"),
            Just("cpu"),
            Just("ports"),
            Just("selector"),
            Just("matchLabels"),
            Just("volumes"),
            Just("data"),
            Just("rules"),
            Just("type"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_makes_any_kind_panic(object in any_json(), old in any_json()) {
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        for resource in crate::resources::all() {
            let mut object = object.clone();
            default(&resource.group, &resource.version, &resource.kind, &mut object);
            let mut new = object.clone();
            if object.is_object() {
                prepare_create(resource, &mut object);
            }
            validate_create(Gates::default(), resource, &object);
            crate::strategy::prepare_update(resource, None, &old, &mut new);
            validate_update(Gates::default(), resource, None, &old, &new);
            crate::table::cells(resource, &object, now);
        }
    }
}
