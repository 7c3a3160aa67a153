//! Pods and figures that contradict each other. (Rules for pods are tested through `decide`.)

use super::{Figures, Grouped, group};
use crate::observation::{Phase, Pod, PodValue};
use std::sync::Arc;
use units::{Duration, Timestamp};

fn grouped(pods: &[&str], figures: &[(&str, i64)]) -> Grouped {
    let pods: Vec<Arc<Pod>> = pods.iter().map(|name| Arc::new(pod(name))).collect();
    let values: Vec<PodValue> = figures
        .iter()
        .map(|(pod, value)| PodValue {
            pod: (*pod).to_owned(),
            timestamp: Timestamp::EPOCH,
            window: Duration::from_seconds(60),
            value: *value,
        })
        .collect();
    group(&pods, Figures::of_values(&values, None), None)
}

fn pod(name: &str) -> Pod {
    Pod {
        name: name.to_owned(),
        phase: Phase::Running,
        deleting: false,
        start_time: None,
        ready: None,
        pod_level_requests: None,
        containers: [].into(),
    }
}

fn values(grouped: &Grouped) -> Vec<Option<i64>> {
    grouped.pods.iter().map(|p| p.value).collect()
}

#[test]
fn two_pods_of_one_name_share_their_figure() {
    let grouped = grouped(&["a", "a", "b"], &[("a", 1), ("b", 2), ("c", 4)]);
    assert_eq!(values(&grouped), [Some(1), Some(1), Some(2)]);
    assert_eq!((grouped.strangers, grouped.strangers_usage), (1, 4));
}

#[test]
fn of_two_figures_for_one_pod_the_last_counts() {
    let grouped = grouped(&["b", "a"], &[("a", 1), ("b", 2), ("a", 8)]);
    assert_eq!(values(&grouped), [Some(2), Some(8)]);
    assert_eq!((grouped.strangers, grouped.strangers_usage), (0, 0));
}
