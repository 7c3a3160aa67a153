//! `kill -9`, and the autoscaler still knows what it did: policies count it.

use crate::lab::{Kubectl, Lab};
use crate::tools;

/// Nothing runs for it: a paused Deployment makes no pods, and numbers outside the bounds need no metrics.
pub(crate) const MANIFEST: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  paused: true
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  behavior: {scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 1800}]}}
"#;

/// Changes downwards that the autoscaler remembers: when, in milliseconds, and by how many.
pub(crate) fn remembered(kubectl: &Kubectl, changes: usize) -> Vec<(i64, i64)> {
    let path = r"jsonpath={.metadata.annotations.evenkeel\.dev/history}";
    let read = |text: &str| -> Option<Vec<(i64, i64)>> {
        let kept: serde_json::Value = serde_json::from_str(text).ok()?;
        let at: jiff::Timestamp = kept["at"].as_str()?.parse().ok()?;
        let entry =
            |e: &serde_json::Value| Some((at.as_millisecond() - e[1].as_i64()?, e[0].as_i64()?));
        kept["downs"].as_array()?.iter().map(entry).collect()
    };
    let holds = |text: &str| read(text).is_some_and(|downs| downs.len() == changes);
    let text = kubectl.until(&["get", "hpa", "web", "-o", path], holds);
    read(&text).unwrap()
}

#[test]
fn a_lab_that_was_killed_remembers_what_it_scaled() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let data_dir = format!("--data-dir={}", data.path().display());
    let flags = [
        data_dir.as_str(),
        "--horizontal-pod-autoscaler-sync-period=200ms",
    ];
    let mut lab = Lab::start(&flags);
    let kubectl = lab.kubectl(&program);
    kubectl.apply(MANIFEST);
    let before = remembered(&kubectl, 1);
    assert_eq!(before[0].1, 2);
    lab.kill();

    lab.restart(&flags);
    let kubectl = lab.kubectl(&program);
    // Only another change is written down anew, by one who must have read the first.
    kubectl.ok(&["patch", "hpa", "web", "-p", r#"{"spec":{"maxReplicas":1}}"#]);
    let after = remembered(&kubectl, 2);
    assert_eq!((after[0], after[1].1), (before[0], 2));
    assert!(after[1].0 > after[0].0);
}
