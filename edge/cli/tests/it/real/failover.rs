//! A leader that is killed while it holds a scale-down back: another goes on where it was, and never do two write.

use super::audit::{Write, moment};
use super::process::Process;
use super::stage::{CONTROLLER, Stage};
use crate::lab::eventually;
use serde_json::Value;
use units::{Duration, Timestamp};

/// Longer than a lease lasts, by as much as a busy machine may need.
const WINDOW: Duration = Duration::from_seconds(50);
pub(super) const FLAG: &str = "--horizontal-pod-autoscaler-downscale-stabilization=50s";

/// Ends with two replicas, and gives the controller that leads.
pub(super) fn what_a_killed_leader_held_stays_held(stage: &Stage) -> Process {
    let mut one = stage.controller("one", &[FLAG]);
    let first = leader(stage, "");
    let two = stage.controller("two", &[FLAG]);
    two.says("standing for leader election");
    stage.load(4);
    stage.replicas(4);
    stage.load(2);
    stage.condition("AbleToScale", |said| {
        said.starts_with("True ScaleDownStabilized")
    });
    one.kill();
    assert_eq!(two.decisions(), [Value::Null; 0], "one at a time");
    leader(stage, &first);
    stage.replicas(2);
    let decided = two.decisions();
    let lower = decided.iter().find(|d| d["desiredReplicas"] == 2).unwrap();
    assert_eq!(decided[0]["desiredReplicas"], 4, "what was held is held");
    let asked = one.decisions();
    let asked = asked.iter().rfind(|d| d["metrics"][0]["proposal"] == 4);
    // What is kept is in milliseconds.
    let window = Duration::from_millis(49_990);
    assert!(at(lower) >= at(asked.unwrap()).plus(window), "held on");
    assert!(at(lower) < at(&decided[0]).plus(WINDOW), "not held anew");
    assert_eq!(leaders(&stage.audit.writes()), 2);
    two
}

fn at(decision: &Value) -> Timestamp {
    moment(decision["at"].as_str().unwrap())
}

/// Who leads, once that is another than `before`.
#[track_caller]
fn leader(stage: &Stage, before: &str) -> String {
    let path = "jsonpath={.spec.holderIdentity}";
    let ask = ["get", "lease", CONTROLLER, "-n", "kube-system", "-o", path];
    stage
        .kubectl
        .until(&ask, |holder| !holder.is_empty() && holder != before)
}

/// How many led one after the other. Whoever wrote had the lease.
#[track_caller]
pub(super) fn leaders(writes: &[Write]) -> usize {
    let mut led: Vec<&str> = Vec::new();
    for write in writes.iter().filter(|w| w.user.ends_with(CONTROLLER)) {
        if write.holder(CONTROLLER).is_some() {
            led.push(&write.token);
        } else if write.resource != "leases" {
            assert_eq!(led.last(), Some(&&*write.token), "{write:?}");
        }
    }
    led.dedup();
    led.len()
}

/// Waits until one of some has decided after a moment, and gives all that any of them has since.
#[track_caller]
pub(super) fn decided_since(ours: &[&Process], since: Timestamp, after: Timestamp) -> Vec<Value> {
    let mut found = Vec::new();
    let decides = || {
        let all = ours.iter().flat_map(|process| process.decisions());
        found = all.filter(|decision| at(decision) > since).collect();
        found.iter().any(|decision| at(decision) > after)
    };
    assert!(eventually(decides), "nobody decides");
    found
}
