//! The kubelet's metrics and summary as its callers read them.

use super::*;
use expect_test::expect;

fn snapshot() -> Snapshot {
    let sample = |container: &str, cpu_nanos, memory_bytes| Sample {
        namespace: "ns".to_owned(),
        pod: "p".to_owned(),
        uid: "u".to_owned(),
        container: container.to_owned(),
        started_at: "2026-01-01T00:00:00.25Z".parse().unwrap(),
        usage: ProcessUsage {
            cpu_nanos,
            memory_bytes,
        },
    };
    Snapshot {
        at: "2026-01-01T00:01:00.5Z".parse().unwrap(),
        booted_at: booted_at("cpu 1 2\nbtime 1767225000\nprocesses 3\n"),
        node: ProcessUsage {
            cpu_nanos: 9_000_000_000,
            memory_bytes: 25_000_000_000,
        },
        containers: vec![sample("a", 1_234_567_890, 4096), sample("b", 20_000, 8192)],
    }
}

#[test]
fn the_text_is_the_kubelets() {
    expect![[r#"
        # HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
        # TYPE container_cpu_usage_seconds_total counter
        container_cpu_usage_seconds_total{container="a",namespace="ns",pod="p"} 1.23456789 1767225660500
        container_cpu_usage_seconds_total{container="b",namespace="ns",pod="p"} 2e-05 1767225660500
        # HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes
        # TYPE container_memory_working_set_bytes gauge
        container_memory_working_set_bytes{container="a",namespace="ns",pod="p"} 4096 1767225660500
        container_memory_working_set_bytes{container="b",namespace="ns",pod="p"} 8192 1767225660500
        # HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds
        # TYPE container_start_time_seconds gauge
        container_start_time_seconds{container="a",namespace="ns",pod="p"} 1.7672256002499998e+09
        container_start_time_seconds{container="b",namespace="ns",pod="p"} 1.7672256002499998e+09
        # HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
        # TYPE node_cpu_usage_seconds_total counter
        node_cpu_usage_seconds_total 9 1767225660500
        # HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes
        # TYPE node_memory_working_set_bytes gauge
        node_memory_working_set_bytes 2.5e+10 1767225660500
        # HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds
        # TYPE pod_cpu_usage_seconds_total counter
        pod_cpu_usage_seconds_total{namespace="ns",pod="p"} 1.23458789 1767225660500
        # HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes
        # TYPE pod_memory_working_set_bytes gauge
        pod_memory_working_set_bytes{namespace="ns",pod="p"} 12288 1767225660500
        # HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise
        # TYPE resource_scrape_error gauge
        resource_scrape_error 0
        # HELP scrape_error [ALPHA] (Deprecated since 1.29.0) 1 if there was an error while getting container metrics, 0 otherwise
        # TYPE scrape_error gauge
        scrape_error 0
    "#]]
    .assert_eq(&prometheus::render(&snapshot()));
}

#[test]
fn the_summary_adds_containers_up() {
    let text = serde_json::to_string_pretty(&summary::summarize("node-1", &snapshot())).unwrap();
    expect![[r#"
        {
          "node": {
            "cpu": {
              "time": "2026-01-01T00:01:00.5Z",
              "usageCoreNanoSeconds": 9000000000
            },
            "memory": {
              "time": "2026-01-01T00:01:00.5Z",
              "workingSetBytes": 25000000000
            },
            "nodeName": "node-1",
            "startTime": "2025-12-31T23:50:00Z"
          },
          "pods": [
            {
              "containers": [
                {
                  "cpu": {
                    "time": "2026-01-01T00:01:00.5Z",
                    "usageCoreNanoSeconds": 1234567890
                  },
                  "memory": {
                    "time": "2026-01-01T00:01:00.5Z",
                    "workingSetBytes": 4096
                  },
                  "name": "a",
                  "startTime": "2026-01-01T00:00:00.25Z"
                },
                {
                  "cpu": {
                    "time": "2026-01-01T00:01:00.5Z",
                    "usageCoreNanoSeconds": 20000
                  },
                  "memory": {
                    "time": "2026-01-01T00:01:00.5Z",
                    "workingSetBytes": 8192
                  },
                  "name": "b",
                  "startTime": "2026-01-01T00:00:00.25Z"
                }
              ],
              "cpu": {
                "time": "2026-01-01T00:01:00.5Z",
                "usageCoreNanoSeconds": 1234587890
              },
              "memory": {
                "time": "2026-01-01T00:01:00.5Z",
                "workingSetBytes": 12288
              },
              "podRef": {
                "name": "p",
                "namespace": "ns",
                "uid": "u"
              },
              "startTime": "2026-01-01T00:00:00.25Z"
            }
          ]
        }"#]]
    .assert_eq(&text);
}

#[test]
fn a_node_without_pods_has_its_own_figures_only() {
    let mut snapshot = snapshot();
    snapshot.containers.clear();
    let text = prometheus::render(&snapshot);
    let names: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(
        names,
        [
            "node_cpu_usage_seconds_total 9 1767225660500",
            "node_memory_working_set_bytes 2.5e+10 1767225660500",
            "resource_scrape_error 0",
            "scrape_error 0",
        ]
    );
    assert_eq!(
        summary::summarize("node-1", &snapshot)["pods"],
        serde_json::json!([])
    );
}
