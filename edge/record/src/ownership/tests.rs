//! Snapshots of autoscalers with options: whose pods they are, and what is saved of them.

use crate::{Choice, Documents, Snapshot};
use hpa::step::audit;
use hpa::{LeftOut, Selection, Unowned};
use units::Timestamp;

const HPA: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
  namespace: shop
  annotations: {evenkeel.dev/pod-selection: owner, evenkeel.dev/fallback: last-known-good}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, uid: d}
spec: {replicas: 1, selector: {matchLabels: {app: web}}}
status: {replicas: 1}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  namespace: shop
  uid: r
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d, controller: true}]
spec: {replicas: 1}
";
const CONTEXT: &str = "---
apiVersion: evenkeel.dev/v1alpha1
kind: DecisionContext
now: \"2026-01-01T12:00:00Z\"
recommendations: []
lastKnown: [{metric: 0, at: \"2026-01-01T11:57:00Z\", replicas: 2}]
";

fn pod(name: &str, owner: &str, cpu: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: web}}, ownerReferences: [{owner}]}}
spec: {{containers: [{{name: c, resources: {{requests: {{cpu: 100m}}}}}}]}}
status:
  phase: Running
  startTime: \"2026-01-01T11:00:00Z\"
  conditions: [{{type: Ready, status: \"True\", lastTransitionTime: \"2026-01-01T11:00:10Z\"}}]
---
apiVersion: metrics.k8s.io/v1beta1
kind: PodMetrics
metadata: {{name: {name}, namespace: shop, labels: {{app: web}}}}
timestamp: \"2026-01-01T11:59:50Z\"
window: 15s
containers: [{{name: c, usage: {{cpu: {cpu}}}}}]
"
    )
}

fn whole() -> String {
    let of_set = "{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: r, controller: true}";
    let of_job = "{apiVersion: batch/v1, kind: Job, name: backup, uid: j, controller: true}";
    let pods = [
        pod("web-1-a", of_set, "90m"),
        pod("backup-b", of_job, "900m"),
    ];
    [HPA, &pods.concat(), CONTEXT].concat()
}

fn read(text: &str) -> Result<(Documents, Snapshot), String> {
    let mut documents = Documents::default();
    let read = documents.read("f", text.as_bytes());
    read.map_err(|e| e.to_string())?;
    let choice = Choice {
        hpa: None,
        now: Timestamp::EPOCH,
    };
    let snapshot = Snapshot::read(&documents, choice).map_err(|e| e.to_string())?;
    let decision = snapshot.decide();
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    Ok((documents, snapshot))
}

fn left_out(text: &str) -> Vec<LeftOut> {
    read(text).unwrap().1.observation.left_out
}

fn of(pod: &str, kind: &str, name: &str) -> LeftOut {
    LeftOut {
        pod: pod.to_owned(),
        why: Unowned::Controller {
            kind: kind.to_owned(),
            name: name.to_owned(),
        },
    }
}

#[test]
fn pods_of_others_are_left_out_with_their_figures() {
    let (_, snapshot) = read(&whole()).unwrap();
    let job = of("backup-b", "Job", "backup");
    assert_eq!(snapshot.observation.left_out, [job]);
    assert_eq!(snapshot.observation.pods.len(), 1);
    // 90 % of one pod, not 495 % of two.
    assert_eq!(snapshot.decide().desired_replicas, 2);
    let by_label = whole().replace("pod-selection: owner", "pod-selection: label");
    assert_eq!(left_out(&by_label), []);
}

#[test]
fn a_replica_set_that_is_not_in_the_file_owns_its_pods_itself() {
    let without = whole().replace("uid: r\n", "uid: other\n");
    let set = of("web-1-a", "ReplicaSet", "web-1");
    assert!(left_out(&without).contains(&set));
}

#[test]
fn without_a_uid_the_targets_kind_and_name_count() {
    let without = whole().replace("namespace: shop, uid: d}", "namespace: shop}");
    assert_eq!(left_out(&without), [of("backup-b", "Job", "backup")]);
}

#[test]
fn what_is_owned_is_not_shared_with_other_autoscalers() {
    let shared = whole() + "otherAutoscalers: [shop/other]\n";
    let selection = |text: &str| {
        let (_, snapshot) = read(text).unwrap();
        snapshot.observation.scale.unwrap().selection
    };
    assert_eq!(selection(&shared), Selection::Valid);
    let by_label = shared.replace("pod-selection: owner", "pod-selection: label");
    assert!(matches!(selection(&by_label), Selection::Ambiguous { .. }));
}

#[test]
fn what_is_saved_decides_the_same() {
    let blind = whole() + "unavailable: {resourceMetrics: no answer}\n";
    let (documents, snapshot) = read(&blind).unwrap();
    assert_eq!(snapshot.decide().desired_replicas, 2, "as last known");
    let (_, again) = read(&snapshot.save(&documents).unwrap()).unwrap();
    assert_eq!(again.spec, snapshot.spec);
    assert_eq!(again.history, snapshot.history);
    assert_eq!(again.observation, snapshot.observation);
}

#[test]
fn what_no_metric_can_have_asked_for_is_refused() {
    let rows = [
        (
            "metric: 1",
            "f: document 8, line 60: DecisionContext: lastKnown[0].metric: must be an index of spec.metrics, of which there are 1",
        ),
        (
            "metric: 0, replicas: -2, at: \"2026-01-01T11:57:00Z\"}] #",
            "f: document 8, line 60: DecisionContext: lastKnown[0].replicas: must not be negative",
        ),
    ];
    for (wrong, expected) in rows {
        let text = whole().replace("metric: 0", wrong);
        assert_eq!(read(&text).err().unwrap(), expected);
    }
}
