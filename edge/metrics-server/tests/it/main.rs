//! The whole metrics server on loopback: a small Kubernetes API, kubelets over TLS, and a client.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod cluster;
mod faults;
mod flags;
mod manifests;

use clap::Parser;
use cluster::{Kubelet, Scene};
use std::time::Duration;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: metrics_server::Args,
}

const POD: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/eks-work/pods/web-1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_measured_and_served_to_who_may_see_it() {
    let scene = Scene::start(Kubelet::Modern, "--kubelet-certificate-authority").await;
    let (code, body) = scene.get_until(POD, Some("good"), 200).await;
    assert_eq!(code, 200, "{body}");
    assert!(
        body.contains(r#""name":"app","usage":{"cpu":"250m","memory":"64Mi"}"#),
        "{body}"
    );
    assert!(body.contains(r#""labels":{"app":"web"}"#), "{body}");

    let (code, body) = scene.get(POD, None).await;
    assert_eq!(code, 403);
    assert!(
        body.contains(
            r#"User \"system:anonymous\" cannot get resource \"pods\" in API group \"metrics.k8s.io\" in the namespace \"eks-work\""#
        ),
        "{body}"
    );
    assert_eq!(scene.get(POD, Some("forged")).await.0, 401);
    assert_eq!(scene.get("/metrics", None).await.0, 403);
    assert_eq!(scene.get("/livez", None).await, (200, "ok".to_owned()));
    // The node needs a second scrape.
    let ready = scene.get_until("/readyz", None, 200).await;
    assert_eq!(ready, (200, "ok".to_owned()));
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubelet_that_forbids_resource_metrics_is_asked_for_its_summary() {
    let scene = Scene::start(Kubelet::SummaryOnly, "--kubelet-certificate-authority").await;
    let (code, body) = scene.get_until(POD, Some("good"), 200).await;
    assert_eq!(code, 200, "{body}");
    assert!(body.contains(r#""cpu":"250m","memory":"64Mi""#), "{body}");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubelet_with_an_unknown_certificate_is_not_believed() {
    let scene = Scene::start(Kubelet::Modern, "").await;
    // The node has been asked when the counter says so.
    let failed = "metrics_server_kubelet_request_total{success=\"false\"} 1";
    scene.wait_for("/metrics", failed).await;
    let (code, body) = scene.get(POD, Some("good")).await;
    assert_eq!(code, 404);
    assert!(
        body.contains(r#"podmetrics.metrics.k8s.io \"eks-work/web-1\" not found"#),
        "{body}"
    );
    assert_eq!(scene.get("/readyz", None).await.0, 500);
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_when_told_to() {
    let scene = Scene::start(Kubelet::Modern, "--kubelet-insecure-tls").await;
    scene.get_until("/livez", None, 200).await;
    tokio::time::timeout(Duration::from_secs(10), scene.stop())
        .await
        .unwrap();
}
