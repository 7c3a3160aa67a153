//! Rows as kubectl prints them.

use super::custom::CustomTable;
use super::{cells, columns, human, row_conditions};
use crate::resources::{Resource, all, find};
use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: &str = "2026-01-01T12:00:00Z";
const HOUR_AGO: &str = "2026-01-01T10:55:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn row(group: &str, resource: &str, object: Value) -> String {
    let resource = find(group, "v1", resource).expect("a resource");
    line(resource, object)
}

fn line(resource: &Resource, mut object: Value) -> String {
    object["metadata"]["creationTimestamp"] = HOUR_AGO.into();
    let cells = cells(resource, &object, now());
    assert!(
        cells.len() >= columns(resource).len(),
        "{}: {cells:?}",
        resource.resource
    );
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| {
            cell.as_str()
                .map_or_else(|| cell.to_string(), str::to_owned)
        })
        .collect();
    texts.join(" | ")
}

fn check(actual: String, expected: Expect) {
    expected.assert_eq(&actual);
}

#[test]
fn spans_of_time_have_two_or_three_figures() {
    let texts: Vec<String> = [
        -5,
        -1,
        0,
        59,
        119,
        120,
        150,
        599,
        600,
        10_799,
        10_800,
        12_000,
        28_799,
        28_800,
        172_799,
        172_800,
        180_000,
        691_199,
        691_200,
        63_071_999,
        63_072_000,
        63_158_400,
        252_288_000,
    ]
    .into_iter()
    .map(|seconds| human(SignedDuration::from_secs(seconds)))
    .collect();
    check(
        texts.join(" "),
        expect![
            "<invalid> 0s 0s 59s 119s 2m 2m30s 9m59s 10m 179m 3h 3h20m 7h59m 8h 47h 2d 2d2h 7d23h 8d 729d 2y 2y1d 8y"
        ],
    );
}

#[test]
fn a_deployment_a_replica_set_and_a_service_print_as_the_recorded_rows() {
    let template = json!({"spec": {"containers": [{"name": "backend-app", "image": "example/k8sbook/backend-app:1.0.0"}]}});
    let deployment = json!({"metadata": {"name": "backend-app"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "backend-app"}}, "template": template},
        "status": {"updatedReplicas": 2}});
    check(
        row("apps", "deployments", deployment),
        expect![
            "backend-app | 0/2 | 2 | 0 | 65m | backend-app | example/k8sbook/backend-app:1.0.0 | app=backend-app"
        ],
    );
    let set = json!({"metadata": {"name": "backend-app-5cf998644b"},
        "spec": {"replicas": 2, "template": template,
                 "selector": {"matchLabels": {"app": "backend-app", "pod-template-hash": "5cf998644b"}}},
        "status": {"replicas": 2}});
    check(
        row("apps", "replicasets", set),
        expect![
            "backend-app-5cf998644b | 2 | 2 | 0 | 65m | backend-app | example/k8sbook/backend-app:1.0.0 | app=backend-app,pod-template-hash=5cf998644b"
        ],
    );
    let kubernetes = json!({"metadata": {"name": "kubernetes"},
        "spec": {"type": "ClusterIP", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 443, "protocol": "TCP"}]}});
    check(
        row("", "services", kubernetes),
        expect!["kubernetes | ClusterIP | 10.0.0.1 | <none> | 443/TCP | 65m | <none>"],
    );
    let mut balanced = json!({"metadata": {"name": "backend-app-service"},
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.7"], "selector": {"app": "backend-app"},
                 "ports": [{"port": 8080, "nodePort": 30609, "protocol": "TCP"}]}});
    check(
        row("", "services", balanced.clone()),
        expect![
            "backend-app-service | LoadBalancer | 10.0.0.7 | <pending> | 8080:30609/TCP | 65m | app=backend-app"
        ],
    );
    balanced["status"] = json!({"loadBalancer": {"ingress": [{"ip": "127.32.1.0"}]}});
    check(
        row("", "services", balanced),
        expect![
            "backend-app-service | LoadBalancer | 10.0.0.7 | 127.32.1.0 | 8080:30609/TCP | 65m | app=backend-app"
        ],
    );
}

fn pod(status: Value) -> Value {
    json!({"metadata": {"name": "backend-app-5cf998644b-8g5bd"},
           "spec": {"containers": [{"name": "app"}, {"name": "side"}], "nodeName": "node-1"},
           "status": status})
}

#[test]
fn the_status_of_a_pod_says_what_its_containers_do() {
    let running =
        json!({"name": "app", "ready": true, "restartCount": 0, "state": {"running": {}}});
    let crashing = json!({"name": "side", "ready": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T11:55:00Z"}}});
    let completed = json!({"name": "side", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
    let killed = json!({"name": "side", "restartCount": 0, "state": {"terminated": {"exitCode": 137, "signal": 9}}});
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let rows = [
        pod(json!({"phase": "Pending"})),
        pod(
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}),
        ),
        pod(
            json!({"phase": "Running", "podIPs": [{"ip": "127.32.128.1"}], "containerStatuses": [running, crashing]}),
        ),
        pod(
            json!({"phase": "Running", "containerStatuses": [running, completed], "conditions": ready}),
        ),
        pod(json!({"phase": "Running", "containerStatuses": [completed, running]})),
        pod(json!({"phase": "Succeeded", "containerStatuses": [completed, completed]})),
        pod(json!({"phase": "Failed", "containerStatuses": [completed, killed]})),
        pod(json!({"phase": "Failed", "reason": "Evicted"})),
    ];
    let text: Vec<String> = rows.into_iter().map(|pod| row("", "pods", pod)).collect();
    check(
        text.join("\n"),
        expect![[r#"
        backend-app-5cf998644b-8g5bd | 0/2 | Pending | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | SchedulingGated | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 1/2 | CrashLoopBackOff | 3 (5m ago) | 65m | 127.32.128.1 | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 1/2 | Running | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 1/2 | NotReady | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | Completed | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | Signal:9 | 0 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | Evicted | 0 | 65m | <none> | node-1 | <none> | <none>"#]],
    );
}

#[test]
fn init_containers_and_sidecars_count() {
    let mut pod = pod(json!({"phase": "Pending", "initContainerStatuses": [
        {"name": "first", "restartCount": 1, "state": {"terminated": {"exitCode": 0}}},
        {"name": "second", "restartCount": 0, "state": {"running": {}}}]}));
    pod["spec"]["initContainers"] = json!([{"name": "first"}, {"name": "second"}]);
    let mut rows = vec![row("", "pods", pod.clone())];
    pod["status"]["initContainerStatuses"][1] = json!({"name": "second", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    rows.push(row("", "pods", pod.clone()));
    pod["status"]["initContainerStatuses"][1] =
        json!({"name": "second", "restartCount": 0, "state": {"terminated": {"exitCode": 2}}});
    rows.push(row("", "pods", pod.clone()));
    pod["spec"]["initContainers"][1]["restartPolicy"] = "Always".into();
    pod["status"]["initContainerStatuses"][1] = json!({"name": "second", "restartCount": 4, "started": true, "ready": true, "state": {"running": {}}});
    rows.push(row("", "pods", pod.clone()));
    pod["metadata"]["deletionTimestamp"] = NOW.into();
    rows.push(row("", "pods", pod));
    check(
        rows.join("\n"),
        expect![[r#"
        backend-app-5cf998644b-8g5bd | 0/2 | Init:1/2 | 1 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | Init:CrashLoopBackOff | 3 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 0/2 | Init:ExitCode:2 | 1 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 1/3 | Pending | 4 | 65m | <none> | node-1 | <none> | <none>
        backend-app-5cf998644b-8g5bd | 1/3 | Terminating | 4 | 65m | <none> | node-1 | <none> | <none>"#]],
    );
}

#[test]
fn pods_that_are_done_have_a_row_condition() {
    let pods = find("", "v1", "pods").expect("pods");
    let done = row_conditions(pods, &pod(json!({"phase": "Succeeded"}))).expect("a condition");
    assert_eq!(done[0]["message"], "The pod has completed successfully.");
    assert!(row_conditions(pods, &pod(json!({"phase": "Running"}))).is_none());
}

#[test]
fn jobs_and_cron_jobs_say_how_far_they_are() {
    let job = |status: Value| {
        json!({"metadata": {"name": "batch-app-1"},
               "spec": {"completions": 1, "parallelism": 1, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                        "template": {"spec": {"containers": [{"name": "batch-app", "image": "batch-app:1.0.0"}]}}},
               "status": status})
    };
    let cron = json!({"metadata": {"name": "batch-app"},
        "spec": {"schedule": "*/5 * * * *", "suspend": false, "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "batch-app", "image": "batch-app:1.0.0"}]}}}}},
        "status": {"active": [{}], "lastScheduleTime": "2026-01-01T11:58:20Z"}});
    let rows = [
        row("batch", "jobs", job(json!({}))),
        row(
            "batch",
            "jobs",
            job(json!({"startTime": "2026-01-01T11:59:00Z", "active": 1})),
        ),
        row(
            "batch",
            "jobs",
            job(
                json!({"startTime": "2026-01-01T11:50:00Z", "completionTime": "2026-01-01T11:50:04Z", "succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
            ),
        ),
        row(
            "batch",
            "jobs",
            job(json!({"conditions": [{"type": "Failed", "status": "True"}]})),
        ),
        row("batch", "cronjobs", cron),
    ];
    check(
        rows.join("\n"),
        expect![[r#"
        batch-app-1 | Running | 0/1 |  | 65m | batch-app | batch-app:1.0.0 | batch.kubernetes.io/controller-uid=u
        batch-app-1 | Running | 0/1 | 60s | 65m | batch-app | batch-app:1.0.0 | batch.kubernetes.io/controller-uid=u
        batch-app-1 | Complete | 1/1 | 4s | 65m | batch-app | batch-app:1.0.0 | batch.kubernetes.io/controller-uid=u
        batch-app-1 | Failed | 0/1 |  | 65m | batch-app | batch-app:1.0.0 | batch.kubernetes.io/controller-uid=u
        batch-app | */5 * * * * | <none> | False | 1 | 100s | 65m | batch-app | batch-app:1.0.0 | <none>"#]],
    );
}

#[test]
fn an_autoscaler_prints_alike_in_both_versions() {
    let v1 = find("autoscaling", "v1", "horizontalpodautoscalers").expect("v1");
    let v2 = find("autoscaling", "v2", "horizontalpodautoscalers").expect("v2");
    let old = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "backend-app", "apiVersion": "apps/v1"},
                 "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 50},
        "status": {"currentReplicas": 2, "desiredReplicas": 2}});
    let mut measured = old.clone();
    measured["status"]["currentCPUUtilizationPercentage"] = 2.into();
    let mut new = k8s::autoscaling::v1_to_v2(measured.clone()).expect("converts");
    let mut rows = vec![line(v1, old), line(v1, measured), line(v2, new.clone())];
    new["spec"]["metrics"] = json!([
        {"type": "Pods", "pods": {"metric": {"name": "p"}, "target": {"type": "AverageValue", "averageValue": "1500m"}}},
        {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "30"}}},
        {"type": "Object", "object": {}},
        {"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}}]);
    new["status"]["currentMetrics"] =
        json!([{"type": "Pods", "pods": {"current": {"averageValue": "2"}}}]);
    rows.push(line(v2, new));
    check(
        rows.join("\n"),
        expect![[r#"
        backend-app | Deployment/backend-app | cpu: <unknown>/50% | 2 | 5 | 2 | 65m
        backend-app | Deployment/backend-app | cpu: 2%/50% | 2 | 5 | 2 | 65m
        backend-app | Deployment/backend-app | cpu: 2%/50% | 2 | 5 | 2 | 65m
        backend-app | Deployment/backend-app | 2/1500m, <unknown>/30 (avg) + 2 more... | 2 | 5 | 2 | 65m"#]],
    );
}

#[test]
fn nodes_events_and_the_rest_print_as_recorded() {
    let node = json!({"metadata": {"name": "node-1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "127.32.0.11"}],
            "nodeInfo": {"kubeletVersion": "v1.36.2", "kernelVersion": "6.1", "architecture": "amd64"}}});
    let event = json!({"metadata": {"name": "hpa.1"}, "type": "Normal", "reason": "SuccessfulRescale", "count": 3,
        "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "backend-app"},
        "source": {"component": "horizontal-pod-autoscaler"}, "message": "New size: 3 \n",
        "firstTimestamp": "2026-01-01T11:50:00Z", "lastTimestamp": "2026-01-01T11:59:30Z"});
    let new_event = json!({"metadata": {"name": "e.1"}, "type": "Normal", "reason": "R", "note": "n",
        "eventTime": "2026-01-01T11:59:00.000000Z", "regarding": {"kind": "Pod", "name": "p"}, "reportingController": "c", "reportingInstance": "i"});
    let endpoints = json!({"metadata": {"name": "e"}, "subsets": [{"ports": [{"port": 80}],
        "addresses": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.2"}, {"ip": "1.1.1.3"}, {"ip": "1.1.1.4"}]}]});
    let slice =
        json!({"metadata": {"name": "s"}, "addressType": "IPv4", "ports": null, "endpoints": null});
    let service = json!({"metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}},
        "status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}});
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "kube-system", "name": "x"}, {"kind": "User", "name": "u"}]});
    let rows = [
        row("", "nodes", node),
        row("", "events", event),
        row("events.k8s.io", "events", new_event),
        row("", "endpoints", endpoints),
        row("discovery.k8s.io", "endpointslices", slice),
        row("apiregistration.k8s.io", "apiservices", service),
        row("rbac.authorization.k8s.io", "rolebindings", binding),
        row(
            "rbac.authorization.k8s.io",
            "roles",
            json!({"metadata": {"name": "r"}}),
        ),
        row(
            "",
            "configmaps",
            json!({"metadata": {"name": "c"}, "data": {"a": "b"}, "binaryData": {"c": "d"}}),
        ),
        row(
            "policy",
            "poddisruptionbudgets",
            json!({"metadata": {"name": "p"}, "spec": {"minAvailable": "50%"}}),
        ),
        row(
            "",
            "persistentvolumeclaims",
            json!({"metadata": {"name": "p"}, "spec": {"volumeName": "v"}, "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}}),
        ),
    ];
    check(
        rows.join("\n"),
        expect![[r#"
        node-1 | Ready,SchedulingDisabled | control-plane | 65m | v1.36.2 | 127.32.0.11 | <none> | <unknown> | 6.1 (amd64) | <unknown>
        30s | Normal | SuccessfulRescale | horizontalpodautoscaler/backend-app |  | horizontal-pod-autoscaler | New size: 3 | 10m | 3 | hpa.1
        60s | Normal | R | pod/p |  | c, i | n | 60s | 1 | e.1
        e | 1.1.1.1:80,1.1.1.2:80,1.1.1.3:80 + 1 more... | 65m
        s | IPv4 | <unset> | <unset> | 65m
        v1beta1.metrics.k8s.io | kube-system/metrics-server | False (MissingEndpoints) | 65m
        b | Role/r | 65m | u |  | kube-system/x
        r | 2026-01-01T10:55:00Z
        c | 2 | 65m
        p | 50% | N/A | 0 | 65m
        p | Bound | v | 1Gi | RWO |  | <unset> | 65m | <unset>"#]],
    );
}

#[test]
fn every_kind_prints_a_cell_for_each_of_its_columns_even_when_it_is_empty() {
    for resource in all().iter().filter(|r| r.allows("list")) {
        let object = json!({"metadata": {"name": "x"}});
        let count = cells(resource, &object, now()).len();
        // Upstream prints an age that addresses have no column for.
        let extra = usize::from(resource.resource == "ipaddresses");
        assert_eq!(
            count,
            columns(resource).len() + extra,
            "{}",
            resource.resource
        );
    }
}

#[test]
fn the_columns_of_a_definition_are_found_by_their_paths() {
    let table = CustomTable::of_version(&json!({"additionalPrinterColumns": [
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
        {"name": "Note", "type": "string", "jsonPath": ".metadata.annotations.example\\.com/note", "priority": 1},
        {"name": "Last", "type": "string", "jsonPath": ".spec.list[-1]"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Gone", "type": "string", "jsonPath": ".spec.gone"}]}));
    let object = json!({"metadata": {"name": "x", "creationTimestamp": HOUR_AGO, "annotations": {"example.com/note": "hi"}},
        "spec": {"replicas": 3, "list": ["a", "b"]},
        "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}});
    assert_eq!(
        Value::from(table.cells(&object, now())),
        json!(["x", 3, "True", "hi", "b", "65m", null])
    );
    let plain = CustomTable::of_version(&json!({}));
    assert_eq!(
        Value::from(plain.cells(&object, now())),
        json!(["x", "65m"])
    );
}

proptest! {
    #[test]
    fn no_path_makes_a_table_panic(path in "[a-z.\\\\\\[\\]'\"?(@=)*0-9!$-]*") {
        let table = CustomTable::of_version(&json!({"additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": path}]}));
        table.cells(&json!({"metadata": {"name": "x"}, "a": [1, {"b": 2}]}), now());
    }
}
