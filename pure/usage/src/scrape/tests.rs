//! Which points a kubelet's text gives.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn a_pod_is_left_out_whole_when_a_container_has_no_cpu_or_memory() {
    let text = "\
container_cpu_usage_seconds_total{container=\"a\",namespace=\"n\",pod=\"whole\"} 1.5 1000
container_memory_working_set_bytes{container=\"a\",namespace=\"n\",pod=\"whole\"} 10 1000
container_start_time_seconds{container=\"a\",namespace=\"n\",pod=\"whole\"} 0.5
container_cpu_usage_seconds_total{container=\"a\",namespace=\"n\",pod=\"part\"} 1 1000
container_memory_working_set_bytes{container=\"a\",namespace=\"n\",pod=\"part\"} 10 1000
container_cpu_usage_seconds_total{container=\"b\",namespace=\"n\",pod=\"part\"} 0 1000
container_memory_working_set_bytes{container=\"b\",namespace=\"n\",pod=\"part\"} 10 1000
node_cpu_usage_seconds_total 3 1000
";
    let scrape = read(text, 5).unwrap();
    assert_eq!(scrape.node, None, "its memory is not known");
    let point = Point {
        started: 500_000_000,
        at: 1_000_000_000,
        cpu: 1_500_000_000,
        memory: 10,
    };
    assert_eq!(
        scrape.pods,
        [PodPoints {
            namespace: "n",
            name: "whole",
            containers: vec![("a", point)]
        }]
    );
    let dropped = scrape.dropped.iter();
    let dropped: Vec<String> = dropped
        .map(|dropped| format!("{}: {}", dropped.of, dropped.words()))
        .collect();
    assert_eq!(
        dropped,
        [
            "node: Failed getting complete node metric",
            "n/part/b: Failed getting complete container metric"
        ]
    );
}

#[test]
fn a_sample_without_a_timestamp_counts_as_measured_when_it_was_asked_for() {
    let scrape = read(
        "node_cpu_usage_seconds_total 3\nnode_memory_working_set_bytes 4\n",
        7,
    )
    .unwrap();
    assert_eq!(scrape.node.map(|node| node.at), Some(7_000_000));
}

#[test]
fn a_container_line_without_its_labels_says_nothing() {
    let text =
        "container_cpu_usage_seconds_total 3\ncontainer_memory_working_set_bytes{pod=\"p\"} 1\n";
    let scrape = read(text, 7).unwrap();
    assert_eq!((scrape.node, scrape.pods), (None, Vec::new()));
}

/// Lines of these families and containers; `labels` writes a container's, for which line it is.
fn lines(which: &[(usize, usize)], labels: impl Fn(usize, usize) -> String) -> String {
    const FAMILIES: [&str; 4] = [
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
        "container_start_time_seconds",
        "container_swap_usage_bytes",
    ];
    let line = |(index, (family, container)): (usize, &(usize, usize))| {
        let (family, labels) = (FAMILIES[*family], labels(*container, index));
        format!("{family}{{{labels}}} {index}.5 {}\n", index * 1000)
    };
    which.iter().enumerate().map(line).collect()
}

proptest! {
    #[test]
    fn labels_that_are_known_are_taken_for_what_they_are(
        which in vec((0..4_usize, 0..5_usize), 0..40),
    ) {
        // Two pods of two containers, and one whose names begin as another's.
        let names = |container: usize| match container {
            4 => ("n", "pod-1", "app-2"),
            _ => ("n", ["pod", "pod-1"][container / 2], ["app", "proxy"][container % 2]),
        };
        let usual = |container: usize, _: usize| {
            let (namespace, pod, container) = names(container);
            format!("container=\"{container}\",namespace=\"{namespace}\",pod=\"{pod}\"")
        };
        // No two lines have the same text here, so that each is read.
        let unusual = |container: usize, line: usize| {
            format!("{},line=\"{line}\"", usual(container, line))
        };
        let (usual, unusual) = (lines(&which, usual), lines(&which, unusual));
        prop_assert_eq!(read(&usual, 5), read(&unusual, 5));
    }
}
