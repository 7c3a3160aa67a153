//! Answers, text by text.

mod forms;
mod manners;
mod openapi;
mod watch;

use super::*;
use crate::cluster::{Labels, Node};
use expect_test::{Expect, expect};
use http::Request;
use http::header::ACCEPT;
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use units::Duration;
use usage::scrape;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// 2026-01-01T12:00:00Z.
const NOON: i64 = 1_767_268_800_000;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// What a kubelet says at so many seconds after noon: `web-1` uses 250m in two containers.
fn answer(seconds: i64) -> String {
    let millis = NOON + seconds * 1000;
    let mut text = format!(
        "node_cpu_usage_seconds_total {} {millis}\nnode_memory_working_set_bytes 1073741824 {millis}\n",
        100 + seconds
    );
    for (pod, container, cpu, memory) in [
        ("web-1", "app", 0.2, 67_108_864),
        ("web-1", "sidecar", 0.05, 1_000_000),
        ("web-2", "app", 0.1, 5),
    ] {
        let used = 10.0 + cpu * seconds as f64;
        let of = format!("{{container=\"{container}\",namespace=\"eks-work\",pod=\"{pod}\"}}");
        text += &format!("container_cpu_usage_seconds_total{of} {used} {millis}\n");
        text += &format!("container_memory_working_set_bytes{of} {memory} {millis}\n");
    }
    text
}

/// An API over one node with two pods that have metrics and one that has none.
fn api(scrapes: i64) -> Api {
    let mut cluster = Cluster::default();
    cluster.put_node(Node {
        name: "node-1".into(),
        labels: Labels::new(labels(&[("kubernetes.io/os", "linux")])),
        addresses: Vec::new(),
        port: 0,
        ready: true,
        path: None,
    });
    cluster.put_pod("eks-work", "web-1", labels(&[("app", "web"), ("n", "1")]));
    cluster.put_pod("eks-work", "web-2", labels(&[("app", "web")]));
    cluster.put_pod("eks-work", "young", BTreeMap::new());
    let mut store = Store::new(Duration::from_seconds(15));
    for index in 0..scrapes {
        let text = answer(index * 15);
        store.begin();
        store.take("node-1", &scrape::read(&text, 0).unwrap());
        store.end();
    }
    let ticks = Ticks::new(std::time::Duration::from_secs(15), Instant::now());
    Api::new(
        Arc::new(RwLock::new(cluster)),
        Arc::new(RwLock::new(store)),
        Arc::new(Telemetry::new(Duration::from_seconds(15))),
        Arc::new(ticks),
        CancellationToken::new(),
    )
}

/// Code, headers and body.
fn exchange(api: &Api, request: http::request::Builder) -> (u16, http::HeaderMap, Vec<u8>) {
    let (head, ()) = request.body(()).unwrap().into_parts();
    let at = jiff::Timestamp::from_millisecond(NOON + 20_000).unwrap();
    let (head, body) = api.route(&head, at).into_parts();
    let body = futures::executor::block_on(body.collect()).unwrap();
    (head.status.as_u16(), head.headers, body.to_bytes().to_vec())
}

fn ask(api: &Api, request: http::request::Builder) -> (u16, String) {
    let (code, _, body) = exchange(api, request);
    (code, String::from_utf8(body).unwrap())
}

fn get(api: &Api, path: &str) -> (u16, String) {
    ask(api, Request::get(path))
}

fn metrics(path: &str) -> (u16, serde_json::Value) {
    let (code, body) = get(&api(2), &format!("/apis/metrics.k8s.io/v1beta1{path}"));
    (code, serde_json::from_str(&body).unwrap())
}

fn names(path: &str) -> Vec<String> {
    let (code, list) = metrics(path);
    assert_eq!(code, 200, "{list}");
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn refused(path: &str, expected_code: u16, message: Expect) {
    let (code, status) = metrics(path);
    assert_eq!(code, expected_code);
    assert_eq!(status["kind"], "Status");
    message.assert_eq(status["message"].as_str().unwrap());
}

#[test]
fn a_pod_is_served_with_its_containers() {
    let (_, body) = get(
        &api(2),
        "/apis/metrics.k8s.io/v1beta1/namespaces/eks-work/pods/web-1",
    );
    expect![[r#"
        {"kind":"PodMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"name":"web-1","namespace":"eks-work","creationTimestamp":"2026-01-01T12:00:20Z","labels":{"app":"web","n":"1"}},"timestamp":"2026-01-01T12:00:15Z","window":"15s","containers":[{"name":"app","usage":{"cpu":"200m","memory":"64Mi"}},{"name":"sidecar","usage":{"cpu":"50m","memory":"1000000"}}]}
    "#]]
    .assert_eq(&body);
}

#[test]
fn nodes_are_listed() {
    let (_, body) = get(&api(2), "/apis/metrics.k8s.io/v1beta1/nodes");
    expect![[r#"
        {"kind":"NodeMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[{"metadata":{"name":"node-1","creationTimestamp":"2026-01-01T12:00:20Z","labels":{"kubernetes.io/os":"linux"}},"timestamp":"2026-01-01T12:00:15Z","window":"15s","usage":{"cpu":"1","memory":"1Gi"}}]}
    "#]]
    .assert_eq(&body);
}

#[test]
fn lists_obey_namespaces_and_selectors_and_leave_out_what_has_no_metrics() {
    assert_eq!(names("/pods"), ["web-1", "web-2"]);
    assert_eq!(
        names("/namespaces/eks-work/pods?limit=1"),
        ["web-1", "web-2"]
    );
    assert_eq!(names("/namespaces/other/pods"), [""; 0]);
    assert_eq!(names("/pods?labelSelector=app%3Dweb%2Cn"), ["web-1"]);
    assert_eq!(names("/pods?labelSelector=n+notin+(1)"), ["web-2"]);
    assert_eq!(
        names("/pods?fieldSelector=metadata.name%3Dweb-2"),
        ["web-2"]
    );
    assert_eq!(
        names("/nodes?labelSelector=kubernetes.io/os=windows"),
        [""; 0]
    );
}

#[test]
fn what_is_absent_is_refused_in_upstreams_words() {
    refused(
        "/namespaces/eks-work/pods/none",
        404,
        expect![[r#"pods "none" not found"#]],
    );
    refused(
        "/namespaces/eks-work/pods/young",
        404,
        expect![[r#"podmetrics.metrics.k8s.io "eks-work/young" not found"#]],
    );
    refused("/nodes/none", 404, expect![[r#"node "none" not found"#]]);
    refused(
        "/services",
        404,
        expect!["the server could not find the requested resource"],
    );
    refused(
        "/pods/web-1",
        404,
        expect!["the server could not find the requested resource"],
    );
    refused(
        "/pods?watch=true",
        405,
        expect![[r#"watch is not supported on resources of kind "pods.metrics.k8s.io""#]],
    );
    refused(
        "/pods?fieldSelector=spec.nodeName=a",
        400,
        expect![[
            r#""spec.nodeName" is not a known field selector: only "metadata.name", "metadata.namespace""#
        ]],
    );
}

#[test]
fn kubectl_gets_a_table() {
    let request = Request::get("/apis/metrics.k8s.io/v1beta1/pods").header(ACCEPT, TABLE);
    let (_, body) = ask(&api(2), request);
    let table: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&table["kind"], &table["apiVersion"]),
        (&"Table".into(), &"meta.k8s.io/v1".into())
    );
    let columns: Vec<_> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(columns, ["Name", "cpu", "memory", "Window"]);
    assert_eq!(
        table["rows"][0]["cells"],
        serde_json::json!(["web-1", "250m", "68108864", "15s"])
    );
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(table["rows"][1]["object"]["metadata"]["name"], "web-2");
}

#[test]
fn an_empty_table_has_no_columns() {
    let request = Request::get("/apis/metrics.k8s.io/v1beta1/pods").header(ACCEPT, TABLE);
    expect![[r#"
        {"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":null,"rows":null}
    "#]]
    .assert_eq(&ask(&api(0), request).1);
}

#[test]
fn metadata_alone_can_be_had() {
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let request = Request::get("/apis/metrics.k8s.io/v1beta1/nodes").header(ACCEPT, accept);
    expect![[r#"
        {"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"node-1","creationTimestamp":"2026-01-01T12:00:20Z","labels":{"kubernetes.io/os":"linux"}}}]}
    "#]]
    .assert_eq(&ask(&api(2), request).1);
}

#[test]
fn only_reading_is_allowed() {
    let request = Request::post("/apis/metrics.k8s.io/v1beta1/nodes");
    assert_eq!(ask(&api(2), request).0, 405);
    assert_eq!(ask(&api(2), Request::delete("/version")).0, 405);
    assert_eq!(
        ask(&api(2), Request::post("/apis/other.io/v1/things")).0,
        404
    );
}

#[test]
fn readiness_waits_for_two_scrapes_and_says_so_as_upstream_does() {
    let (code, body) = get(&api(1), "/readyz?verbose");
    assert_eq!(code, 500);
    expect![[r#"
        [+]ping ok
        [+]log ok
        [+]poststarthook/max-in-flight-filter ok
        [+]poststarthook/storage-object-count-tracker-hook ok
        [-]metric-storage-ready failed: reason withheld
        [-]metric-informer-sync failed: reason withheld
        [-]metadata-informer-sync failed: reason withheld
        [+]shutdown ok
        readyz check failed
    "#]]
    .assert_eq(&body);
    assert_eq!(
        get(&api(1), "/readyz/metric-storage-ready").1,
        "internal server error: no metrics to serve\n"
    );
    assert_eq!(
        get(&api(2), "/readyz/metric-storage-ready"),
        (200, "ok".to_owned())
    );
    assert_eq!(
        get(&api(2), "/livez/metric-collection-timely"),
        (200, "ok".to_owned())
    );
}

#[test]
fn every_discovery_document_is_json() {
    let api = api(0);
    for path in [
        "/",
        "/apis",
        "/apis/metrics.k8s.io",
        "/apis/metrics.k8s.io/v1beta1",
        "/apis/metrics.k8s.io/v1beta1/",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/metrics.k8s.io/v1beta1",
        "/version",
    ] {
        let (code, body) = get(&api, path);
        assert_eq!(code, 200, "{path}");
        assert!(
            serde_json::from_str::<serde_json::Value>(&body).is_ok(),
            "{path}"
        );
    }
    // What is not there is answered with what is.
    let (code, paths) = get(&api, "/nothing");
    assert_eq!((code, &paths), (404, &get(&api, "/").1));
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let (_, body) = ask(&api, Request::get("/apis").header(ACCEPT, accept));
    assert!(body.contains("APIGroupDiscoveryList"));
}

#[test]
fn prometheus_metrics_have_upstreams_names() {
    let api = api(2);
    get(&api, "/apis/metrics.k8s.io/v1beta1/pods");
    api.telemetry
        .scraped("node-1", std::time::Duration::from_millis(3), 5, true);
    api.telemetry
        .ticked(std::time::Duration::from_millis(4), Default::default());
    api.telemetry
        .authenticated("success", std::time::Duration::ZERO);
    api.telemetry
        .authorized("no-opinion", std::time::Duration::ZERO);
    let (_, headers, text) = exchange(&api, Request::get("/metrics"));
    assert_eq!(
        headers[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    );
    let text = String::from_utf8(text).unwrap();
    for line in [
        "# HELP metrics_server_kubelet_request_total [ALPHA] Number of requests sent to Kubelet API\n",
        "# TYPE metrics_server_kubelet_request_total counter\n",
        "metrics_server_api_metric_freshness_seconds_count 2",
        "metrics_server_kubelet_last_request_time_seconds{node=\"node-1\"} 5\n",
        "metrics_server_kubelet_request_duration_seconds_count{node=\"node-1\"} 1",
        "metrics_server_kubelet_request_total{success=\"true\"} 1",
        "metrics_server_manager_tick_duration_seconds_count 1",
        "metrics_server_storage_points{type=\"container\"} 0",
        "# TYPE authentication_attempts counter\n",
        "authentication_attempts{result=\"success\"} 1\n",
        "authorization_attempts_total{result=\"no-opinion\"} 1\n",
        "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 0\n",
        "kubernetes_build_info{build_date=\"",
        "# TYPE process_cpu_seconds_total counter\n",
        "# TYPE process_resident_memory_bytes gauge\n",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

#[test]
fn ticks_are_sorted_by_buckets_around_the_resolution() {
    let bounds = |seconds| {
        let telemetry = Telemetry::new(Duration::from_seconds(seconds));
        let text = telemetry.classic();
        let bucket = "metrics_server_manager_tick_duration_seconds_bucket{le=\"";
        let bounds = text
            .lines()
            .filter_map(|line| line.strip_prefix(bucket)?.split('"').next());
        bounds.map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    let usual = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10";
    assert_eq!(bounds(10), format!("{usual} +Inf"));
    assert_eq!(bounds(15), format!("{usual} 12.5 15 22.5 30 +Inf"));
}

#[test]
fn requests_count_as_upstream_counts_them() {
    let asked = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let wanted = Wanted::new(path.split('?').next().unwrap());
        let asked = asked::asked(&head, &wanted, verb(&head, &wanted))?;
        Some([asked.resource, asked.scope, asked.subresource, asked.verb].join(" "))
    };
    let base = "/apis/metrics.k8s.io/v1beta1";
    for (method, path, counted) in [
        ("GET", "/livez", Some("  /livez GET")),
        ("POST", "/readyz", Some("  /readyz POST")),
        ("GET", "/livez/ping", None),
        ("HEAD", "/livez", Some("  /livez GET")),
        ("GET", "/apis", None),
        ("HEAD", "/apis", None),
        ("GET", "/metrics", None),
        ("GET", &format!("{base}/nodes"), Some("nodes cluster  LIST")),
        (
            "GET",
            &format!("{base}/pods?watch=1"),
            Some("pods cluster  WATCH"),
        ),
        (
            "GET",
            &format!("{base}/namespaces/a/pods"),
            Some("pods namespace  LIST"),
        ),
        (
            "GET",
            &format!("{base}/namespaces/a/pods/b"),
            Some("pods resource  GET"),
        ),
        ("GET", &format!("{base}/pods/b"), None),
        ("POST", &format!("{base}/nodes"), None),
    ] {
        assert_eq!(asked(method, path).as_deref(), counted, "{method} {path}");
    }
}

#[test]
fn the_version_is_the_builds() {
    let (_, text) = get(&api(2), "/version");
    assert!(text.starts_with("{\n  \"major\": "), "{text}");
    let version: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of_crate = env!("CARGO_PKG_VERSION");
    assert_eq!(version["gitVersion"], format!("v{of_crate}"));
    let parts = [&version["major"], &version["minor"]].map(|part| part.as_str().unwrap());
    assert!(of_crate.starts_with(&parts.join(".")), "{text}");
    let platform = version["platform"].as_str().unwrap();
    assert!(platform.starts_with("linux/"), "{text}");
}

#[test]
fn metrics_are_openmetrics_for_who_prefers_that() {
    let api = api(2);
    for (accept, openmetrics) in [
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            true,
        ),
        ("application/openmetrics-text", true),
        (
            "application/openmetrics-text;q=0.2, text/plain;q=0.9",
            false,
        ),
        ("application/openmetrics-text;q=0", false),
        ("*/*", false),
    ] {
        let asked = Request::get("/metrics").header(ACCEPT, accept);
        let (_, headers, body) = exchange(&api, asked);
        let kind = headers[CONTENT_TYPE].to_str().unwrap();
        assert_eq!(
            kind.starts_with("application/openmetrics-text;"),
            openmetrics,
            "{accept}"
        );
        assert_eq!(body.ends_with(b"# EOF\n"), openmetrics, "{accept}");
    }
}

#[test]
fn paths_say_what_is_wanted() {
    let wanted = |path| Wanted::new(path);
    let pod = wanted("/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/b");
    assert_eq!(
        (pod.namespace, pod.resource, pod.name, pod.rest),
        ("a", "pods", "b", "")
    );
    let namespace = wanted("/apis/metrics.k8s.io/v1beta1/namespaces/a");
    assert_eq!((namespace.resource, namespace.name), ("namespaces", "a"));
    assert_eq!(wanted("/apis/metrics.k8s.io/v1beta1"), Wanted::default());
}
