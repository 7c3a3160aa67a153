//! The summary says the same as the resource metrics.

use super::*;

#[test]
fn a_summary_says_the_same_as_the_resource_metrics() {
    let text = r#"{
      "node": {"nodeName": "node-1", "startTime": "2026-01-01T00:00:00Z",
        "cpu": {"time": "2026-01-01T12:00:00Z", "usageNanoCores": 5, "usageCoreNanoSeconds": 3500000000},
        "memory": {"time": "2026-01-01T12:00:00Z", "workingSetBytes": 4096}},
      "pods": [
        {"podRef": {"name": "p", "namespace": "n", "uid": "u"}, "containers": [
          {"name": "c", "startTime": "2026-01-01T11:00:00Z",
           "cpu": {"time": "2026-01-01T12:00:01.5Z", "usageCoreNanoSeconds": 1500000000},
           "memory": {"workingSetBytes": 10}}]},
        {"podRef": {"name": "starting", "namespace": "n"}, "containers": [{"name": "c"}]}
      ]}"#;
    let resource = "\
node_cpu_usage_seconds_total 3.5 1767268800000
node_memory_working_set_bytes 4096 1767268800000
container_start_time_seconds{container=\"c\",namespace=\"n\",pod=\"p\"} 1.7672652e+09
container_cpu_usage_seconds_total{container=\"c\",namespace=\"n\",pod=\"p\"} 1.5 1767268801500
container_memory_working_set_bytes{container=\"c\",namespace=\"n\",pod=\"p\"} 10 1767268801500
";
    let (summary, resource) = (
        read(text).unwrap(),
        usage::scrape::read(resource, 0).unwrap(),
    );
    assert_eq!((summary.node, summary.pods), (resource.node, resource.pods));
    assert_eq!(summary.dropped.len(), 1, "one is only starting");
}

#[test]
fn a_text_that_is_no_summary_is_refused() {
    assert!(read("<html>").is_err());
}
