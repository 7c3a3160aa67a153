//! What a changed question asks, and what cannot be asked.

use crate::{Choice, Snapshot};
use units::Timestamp;

const SNAPSHOT: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  - {type: External, external: {metric: {name: queue}, target: {type: Value, value: 10}}}
---
apiVersion: autoscaling/v1
kind: Scale
metadata: {name: web, namespace: shop}
spec: {replicas: 1}
status: {replicas: 1, selector: app=web}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, resources: {requests: {cpu: 100m, memory: 100Mi}}}]}
status:
  phase: Running
  startTime: \"2026-01-01T11:00:00Z\"
  conditions: [{type: Ready, status: \"True\", lastTransitionTime: \"2026-01-01T11:00:10Z\"}]
---
apiVersion: metrics.k8s.io/v1beta1
kind: PodMetrics
metadata: {name: web-1, namespace: shop, labels: {app: web}}
timestamp: \"2026-01-01T11:59:50Z\"
window: 15s
containers: [{name: c, usage: {cpu: 400m, memory: 300Mi}}]
---
apiVersion: external.metrics.k8s.io/v1beta1
kind: ExternalMetricValueList
items: [{metricName: queue, value: 20}]
---
apiVersion: evenkeel.dev/v1alpha1
kind: DecisionContext
now: \"2026-01-01T12:00:00Z\"
recommendations: []
";

fn changed(changes: &str) -> Result<i32, String> {
    let choice = Choice {
        hpa: None,
        now: Timestamp::EPOCH,
    };
    let snapshot = Snapshot::parse("f", SNAPSHOT.as_bytes(), choice).unwrap();
    assert_eq!(snapshot.decide().desired_replicas, 3);
    let changed = snapshot.what_if(changes)?;
    Ok(changed.decide().desired_replicas)
}

#[test]
fn changes_change_the_decision() {
    for (changes, expected) in [
        ("maxReplicas=2", 2),
        // Without behavior, scaling up reaches twice the replicas, at least four.
        ("maxReplicas=20", 4),
        ("maxReplicas=20,scaleUp.policies=900%/15s", 8),
        ("maxReplicas=20,scaleUp.policies=2/15s+100%/1m", 3),
        (
            "maxReplicas=20,scaleUp.policies=2/15s+100%/1m,scaleUp.selectPolicy=Min",
            2,
        ),
        ("scaleUp.selectPolicy=Disabled", 1),
        ("target.cpu=200", 2),
        ("target.cpu=200%,target.queue=20", 2),
        ("target.cpu=400%, target.queue=20", 1),
        ("target.cpu=200m", 2),
        ("target.cpu=400,target.queue=20,target.memory=150", 2),
        ("target.cpu=400,target.queue=20,target.memory=100Mi", 3),
        ("target.cpu=350,target.queue=20,tolerance=0.2", 1),
        ("minReplicas=2,maxReplicas=2", 2),
        (
            "downscaleStabilization=1m,cpuInitializationPeriod=1s,initialReadinessDelay=0",
            3,
        ),
        (
            "scaleDown.stabilizationWindowSeconds=60,scaleDown.tolerance=0.05",
            3,
        ),
    ] {
        assert_eq!(changed(changes), Ok(expected), "{changes}");
    }
}

#[test]
fn what_cannot_be_changed_is_said_with_what_can() {
    for (changes, expected) in [
        (
            "maxReplica=2",
            "maxReplica: not known; known are minReplicas, maxReplicas, target.METRIC, ",
        ),
        ("scaleUp.window=2", "scaleUp.window: not known; known are "),
        (
            "maxReplicas",
            "\"maxReplicas\" is no change: write it as key=value; keys are ",
        ),
        (
            "maxReplicas=many",
            "maxReplicas: \"many\" is no whole number",
        ),
        (
            "maxReplicas=0",
            "an API server would refuse this: spec.maxReplicas: Required value: must be set and greater than 0",
        ),
        (
            "target.hits=1",
            "target.hits: no metric has this name; there is cpu, queue",
        ),
        ("target.cpu=1x", "target.cpu: \"1x\" is no quantity: "),
        (
            "tolerance=-1",
            "tolerance: \"-1\" is no tolerance: write it like 0.1",
        ),
        (
            "downscaleStabilization=5",
            "downscaleStabilization: \"5\": a duration needs a unit",
        ),
        (
            "scaleUp.policies=4",
            "scaleUp.policies: \"4\" is no policy: write 4/15s or 100%/1m, and + between several",
        ),
        (
            "scaleUp.selectPolicy=Most",
            "an API server would refuse this: spec.behavior.scaleUp.selectPolicy: ",
        ),
        ("", "\"\" is no change: "),
    ] {
        let error = changed(changes).unwrap_err();
        assert!(error.starts_with(expected), "{changes}: {error}");
    }
}

#[test]
fn options_are_set_and_taken_away() {
    assert_eq!(changed("paused=true"), Ok(1));
    assert_eq!(changed("paused=true,paused=none"), Ok(3));
    assert_eq!(changed("freeze=up"), Ok(1));
    assert_eq!(changed("freeze=down"), Ok(3));
    assert_eq!(changed("dryRun=true"), Ok(3));
    assert_eq!(
        changed("paused=maybe"),
        Err("evenkeel.dev/paused is ignored: \"maybe\" is not true or false".to_owned())
    );
    assert_eq!(
        changed("fallbackMaxAge=5m"),
        Err("evenkeel.dev/fallback-max-age is ignored: it says something only beside evenkeel.dev/fallback: last-known-good".to_owned())
    );
}

#[test]
fn what_the_autoscaler_has_of_its_own_is_changed_in_the_place_of_the_flag() {
    let own = SNAPSHOT.replace(
        "metadata: {name: web, namespace: shop}\nspec:\n  scaleTargetRef",
        "metadata: {name: web, namespace: shop, annotations: {evenkeel.dev/tolerance: \"9\"}}\nspec:\n  scaleTargetRef",
    );
    let choice = Choice {
        hpa: None,
        now: Timestamp::EPOCH,
    };
    let snapshot = Snapshot::parse("f", own.as_bytes(), choice).unwrap();
    assert_eq!(snapshot.decide().desired_replicas, 1);
    let changed = snapshot.what_if("tolerance=0.1").unwrap();
    assert_eq!(changed.spec.options.tolerance, Some(0.1));
    assert_eq!(changed.spec.config, snapshot.spec.config);
    assert_eq!(changed.decide().desired_replicas, 3);
}
