//! Custom and external metrics: what an adapter is asked, and what becomes of its answers and errors.

use crate::world::{World, condition, create, deployment};
use expect_test::{Expect, expect};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const CUSTOM: &str = "/apis/custom.metrics.k8s.io";
const NAMESPACED: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1/namespaces/eks-work/queue";

/// The APIGroup that discovery shows; the first version is preferred.
fn group(versions: &[&str]) -> Value {
    let version =
        |v: &&str| json!({"groupVersion": format!("custom.metrics.k8s.io/{v}"), "version": v});
    let versions: Vec<Value> = versions.iter().map(version).collect();
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": "custom.metrics.k8s.io",
        "preferredVersion": versions[0], "versions": versions})
}

fn list(version: &str, items: &[Value]) -> Value {
    json!({"kind": "MetricValueList", "apiVersion": format!("custom.metrics.k8s.io/{version}"),
        "metadata": {}, "items": items})
}

fn of(kind: &str, name: &str, value: &str) -> Value {
    json!({"describedObject": {"kind": kind, "namespace": "eks-work", "name": name},
        "metric": {"name": "hits"}, "timestamp": "2026-01-01T12:00:00Z", "windowSeconds": 30, "value": value})
}

fn external(values: &[&str]) -> Value {
    let item = |value: &&str| json!({"metricName": "queue", "metricLabels": {}, "timestamp": "2026-01-01T12:00:00Z", "value": value});
    let items: Vec<Value> = values.iter().map(item).collect();
    json!({"kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1",
        "metadata": {}, "items": items})
}

fn pods_metric() -> Value {
    json!({"type": "Pods", "pods": {
        "metric": {"name": "hits", "selector": {"matchLabels": {"verb": "GET"}}},
        "target": {"type": "AverageValue", "averageValue": "10"}}})
}

fn object_metric(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"type": "Object", "object": {
        "metric": {"name": "hits"},
        "describedObject": {"apiVersion": api_version, "kind": kind, "name": name},
        "target": {"type": "Value", "value": "10"}}})
}

fn external_metric() -> Value {
    json!({"type": "External", "external": {
        "metric": {"name": "queue", "selector": {"matchExpressions": [
            {"key": "topic", "operator": "In", "values": ["b", "a"]}]}},
        "target": {"type": "AverageValue", "averageValue": "10"}}})
}

/// Two pods of a Deployment under an autoscaler of one metric; ready for its controller.
async fn world(metric: Value) -> World {
    let world = World::new().await;
    let deployments = world.api("apps/v1", "Deployment", "deployments");
    create(&deployments, deployment()).await;
    let status = json!({"status": {"replicas": 2}});
    deployments
        .patch_status(
            "backend-app",
            &PatchParams::default(),
            &Patch::Merge(&status),
        )
        .await
        .unwrap();
    for name in ["backend-app-1", "backend-app-2"] {
        world.pod(name).await;
    }
    let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app-hpa"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": 2, "maxReplicas": 5, "metrics": [metric]}});
    create(&world.hpas("autoscaling/v2"), hpa).await;
    world
}

/// What the first look said, the status of the metric, the number, and what was asked for it.
async fn tell(world: &World) -> String {
    let _controller = world.start();
    let hpa = world
        .hpa(|hpa| condition(hpa, "ScalingActive") != &Value::Null)
        .await;
    let active = condition(&hpa, "ScalingActive");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!(
        "{} {}: {}",
        text(&active["status"]),
        text(&active["reason"]),
        text(&active["message"])
    )];
    let kind = hpa["spec"]["metrics"][0]["type"]
        .as_str()
        .unwrap()
        .to_lowercase();
    let current = &hpa["status"]["currentMetrics"][0][&kind]["current"];
    if !current.is_null() {
        let desired = &hpa["status"]["desiredReplicas"];
        lines.push(format!("{current} -> {desired}"));
    }
    lines.extend(world.adapter.asked());
    lines.join("\n") + "\n"
}

async fn check(world: &World, expected: Expect) {
    expected.assert_eq(&tell(world).await);
}

#[tokio::test]
async fn a_metric_of_pods_is_asked_for_with_both_selectors() {
    let world = world(pods_metric()).await;
    let path = format!("{NAMESPACED}/pods/*/hits");
    world.adapter.put(CUSTOM, &group(&["v1beta2", "v1beta1"]));
    let pods = ["backend-app-1", "backend-app-2"].map(|name| of("Pod", name, "15500m"));
    world.adapter.put(&path, &list("v1beta2", &pods));
    check(&world, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from pods metric hits
        {"averageValue":"15500m"} -> 4
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/pods/*/hits?labelSelector=app%3Dbackend-app&metricLabelSelector=verb%3DGET
    "#]]).await;
}

#[tokio::test]
async fn an_old_adapter_is_asked_in_its_own_version() {
    let world = world(pods_metric()).await;
    let path = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/eks-work/pods/*/hits";
    world.adapter.put(CUSTOM, &group(&["v1alpha1", "v1beta1"]));
    let pods = ["backend-app-1", "backend-app-2"].map(|name| {
        json!({"describedObject": {"kind": "Pod", "name": name, "apiVersion": "/v1"},
            "metricName": "hits", "timestamp": "2026-01-01T12:00:00Z", "window": 60, "value": "20"})
    });
    world.adapter.put(path, &list("v1beta1", &pods));
    check(&world, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from pods metric hits
        {"averageValue":"20"} -> 4
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta1/namespaces/eks-work/pods/*/hits?labelSelector=app%3Dbackend-app&metricLabelSelector=verb%3DGET
    "#]]).await;
}

#[tokio::test]
async fn objects_are_asked_for_by_resource_and_group() {
    let service = world(object_metric("v1", "Service", "front end")).await;
    service.adapter.put(CUSTOM, &group(&["v1beta2"]));
    let path = format!("{NAMESPACED}/services/front%20end/hits");
    service
        .adapter
        .put(&path, &list("v1beta2", &[of("Service", "front end", "25")]));
    check(&service, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from Service metric hits
        {"value":"25"} -> 4
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/services/front%20end/hits
    "#]]).await;

    let ingress = world(object_metric("networking.k8s.io/v1", "Ingress", "main")).await;
    ingress.adapter.put(CUSTOM, &group(&["v1beta2"]));
    let path = format!("{NAMESPACED}/ingresses.networking.k8s.io/main/hits");
    ingress
        .adapter
        .put(&path, &list("v1beta2", &[of("Ingress", "main", "20")]));
    check(&ingress, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from Ingress metric hits
        {"value":"20"} -> 4
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/ingresses.networking.k8s.io/main/hits
    "#]]).await;

    let namespace = world(object_metric("v1", "Namespace", "another")).await;
    namespace.adapter.put(CUSTOM, &group(&["v1beta2"]));
    let path = format!("{NAMESPACED}/metrics/hits");
    namespace.adapter.put(
        &path,
        &list("v1beta2", &[of("Namespace", "eks-work", "15")]),
    );
    check(&namespace, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from Namespace metric hits
        {"value":"15"} -> 3
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/metrics/hits
    "#]]).await;
}

#[tokio::test]
async fn external_metrics_are_asked_for_with_their_selector() {
    let world = world(external_metric()).await;
    world.adapter.put(EXTERNAL, &external(&["12", "18"]));
    check(&world, expect![[r#"
        True ValidMetricFound: the HPA was able to successfully calculate a replica count from external metric queue(&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:topic,Operator:In,Values:[b a],},},})
        {"averageValue":"15"} -> 3
        /apis/external.metrics.k8s.io/v1beta1/namespaces/eks-work/queue?labelSelector=topic%20in%20%28a%2Cb%29
    "#]]).await;
}

#[tokio::test]
async fn without_an_adapter_it_says_which_api_is_missing() {
    let pods = world(pods_metric()).await;
    check(&pods, expect![[r#"
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered
    "#]]).await;
    let unreadable = world(pods_metric()).await;
    unreadable.adapter.put(CUSTOM, &group(&["v1", "v1alpha1"]));
    check(&unreadable, expect![[r#"
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: no known available metric versions found
        /apis/custom.metrics.k8s.io
    "#]]).await;
    let external = world(external_metric()).await;
    check(&external, expect![[r#"
        False FailedGetExternalMetric: the HPA was unable to compute the replica count: unable to get external metric eks-work/queue/&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:topic,Operator:In,Values:[b a],},},}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)
    "#]]).await;
}

#[tokio::test]
async fn what_an_adapter_refuses_is_passed_on_or_put_into_words() {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "the server could not find the metric hits for pods", "reason": "NotFound", "code": 404});
    let answers = [
        (404, status.to_string()),
        (404, "404 page not found\n".to_owned()),
        (503, "service unavailable\n".to_owned()),
        (500, "panic: \"oh\"\n".to_owned()),
        (500, r#"{"error": "oh"}"#.to_owned()),
        (403, "no\n".to_owned()),
        (429, "slowly\n".to_owned()),
        (418, "tea\n".to_owned()),
        (200, "<html>".to_owned()),
    ];
    let mut said = String::new();
    for (code, body) in answers {
        let world = world(pods_metric()).await;
        world.adapter.put(CUSTOM, &group(&["v1beta2"]));
        let path = format!("{NAMESPACED}/pods/*/hits");
        world.adapter.fail(&path, code, &body);
        said += tell(&world).await.lines().next().unwrap();
        said.push('\n');
    }
    expect![[r#"
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: the server could not find the metric hits for pods
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: the server could not find the requested resource (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: the server is currently unable to handle the request (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: an error on the server ("panic: \"oh\"") has prevented the request from succeeding (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: an error on the server ("unknown") has prevented the request from succeeding (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: no (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: the server has received too many requests and has asked us to try again later (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: the server responded with the status code 418 but did not return more information (get pods.custom.metrics.k8s.io *)
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: Error deserializing response: expected value at line 1 column 1
    "#]].assert_eq(&said);
}

#[tokio::test]
async fn objects_that_are_not_one_are_refused() {
    let two = world(object_metric("v1", "Service", "web")).await;
    two.adapter.put(CUSTOM, &group(&["v1beta2"]));
    let path = format!("{NAMESPACED}/services/web/hits");
    let item = of("Service", "web", "1");
    two.adapter
        .put(&path, &list("v1beta2", &[item.clone(), item]));
    check(&two, expect![[r#"
        False FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: Service on eks-work web/unable to fetch metrics from custom metrics API: the custom metrics API server returned 2 results when we asked for exactly one
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/services/web/hits
    "#]]).await;

    let gone = world(object_metric("v1", "Service", "web")).await;
    gone.adapter.put(CUSTOM, &group(&["v1beta2"]));
    gone.adapter.fail(&path, 404, "");
    check(&gone, expect![[r#"
        False FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: Service on eks-work web/unable to fetch metrics from custom metrics API: the server could not find the requested resource (get services.custom.metrics.k8s.io web)
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/services/web/hits
    "#]]).await;

    let unknown = world(object_metric("example.com/v1", "Broker", "web")).await;
    unknown.adapter.put(CUSTOM, &group(&["v1beta2"]));
    check(&unknown, expect![[r#"
        False FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: Broker on eks-work web/unable to fetch metrics from custom metrics API: unable to map kind Broker.example.com to resource: no matches for kind "Broker" in group "example.com"
        /apis/custom.metrics.k8s.io
    "#]]).await;
}

#[tokio::test]
async fn lists_without_items_are_said_to_be_empty() {
    let pods = world(pods_metric()).await;
    pods.adapter.put(CUSTOM, &group(&["v1beta2"]));
    pods.adapter
        .put(&format!("{NAMESPACED}/pods/*/hits"), &list("v1beta2", &[]));
    check(&pods, expect![[r#"
        False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric hits: no metrics returned from custom metrics API
        /apis/custom.metrics.k8s.io
        /apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/pods/*/hits?labelSelector=app%3Dbackend-app&metricLabelSelector=verb%3DGET
    "#]]).await;
    let queue = world(external_metric()).await;
    queue.adapter.put(EXTERNAL, &external(&[]));
    check(&queue, expect![[r#"
        False FailedGetExternalMetric: the HPA was unable to compute the replica count: unable to get external metric eks-work/queue/&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:topic,Operator:In,Values:[b a],},},}: no metrics returned from external metrics API
        /apis/external.metrics.k8s.io/v1beta1/namespaces/eks-work/queue?labelSelector=topic%20in%20%28a%2Cb%29
    "#]]).await;
}
