//! What a simulated kubelet's metrics say.

use super::{SimulatedPod, render};
use crate::simulated::container::Container;
use crate::simulated::usage;
use expect_test::expect;
use jiff::{Timestamp, ToSpan};

#[test]
fn each_container_counts_what_its_name_says_it_uses() {
    let started: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let pod = SimulatedPod {
        namespace: "shop".to_owned(),
        name: "web-1".to_owned(),
        containers: vec![Container::new(
            "main",
            usage::of("shop", "web-1", "main"),
            started,
        )],
        started,
    };
    let text = render(&[pod], started, started + 10.seconds());
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    expect![[r#"
        container_cpu_usage_seconds_total{container="main",namespace="shop",pod="web-1"} 0.600000000 1767225610000
        container_memory_working_set_bytes{container="main",namespace="shop",pod="web-1"} 73400320 1767225610000
        container_start_time_seconds{container="main",namespace="shop",pod="web-1"} 1767225600.000
        node_cpu_usage_seconds_total 1.600000000 1767225610000
        node_memory_working_set_bytes 610271232 1767225610000
        pod_cpu_usage_seconds_total{namespace="shop",pod="web-1"} 0.600000000 1767225610000
        pod_memory_working_set_bytes{namespace="shop",pod="web-1"} 73400320 1767225610000
        resource_scrape_error 0"#]].assert_eq(&lines.join("\n"));
}
