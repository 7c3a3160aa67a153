//! Lines, as metrics-server writes them.

use super::*;
use hpa::Resource;

#[test]
fn a_sample_is_read_with_its_containers() {
    let line = br#"{"type":"MODIFIED","object":{"kind":"PodMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"name":"web-1","namespace":"shop","creationTimestamp":"2026-01-01T12:00:20Z","labels":{"app":"web"}},"timestamp":"2026-01-01T12:00:10Z","window":"15.5s","containers":[{"name":"app","usage":{"cpu":"1500001n","memory":"2048Ki"}}]}}"#;
    let event = read(line).unwrap();
    assert_eq!(event.kind, Kind::Changed);
    assert_eq!(&*event.namespace, "shop");
    let metrics = event.metrics;
    assert_eq!(metrics.pod, "web-1");
    assert_eq!(metrics.timestamp, Timestamp::from_seconds(1_767_268_810));
    assert_eq!(metrics.window.to_string(), "15.5s");
    let usage = &metrics.containers[0].usage;
    // Rounded up to thousandths, as upstream's MilliValue.
    assert_eq!(usage[0], (Resource::Cpu, 2));
    assert_eq!(usage[1], (Resource::Memory, 2_097_152_000));
}

#[test]
fn a_bookmark_says_whether_it_is_the_first() {
    let line = br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4"}}}"#;
    assert_eq!(read(line).unwrap().kind, Kind::Bookmark { first: false });
}
