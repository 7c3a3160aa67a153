//! Recordings of Kubernetes 1.36's own controller: 290 cases from its tests, 2,000 random ones.

use crate::snapshot::{Snapshot, read};
use flate2::read::GzDecoder;
use hpa::CurrentMetrics;
use k8s::autoscaling::status_after;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

/// What we say, in the recordings' form.
fn answer(snapshot: &Snapshot) -> Value {
    let Snapshot {
        now,
        object,
        spec,
        observation,
        history,
    } = snapshot;
    let decision = hpa::decide(*now, spec, observation, history);
    let status = status_after(object, &decision.outcome, *now);
    let found = observation.scale.as_ref().map_or(0, |s| s.spec_replicas);
    let action = match decision.rescale.as_ref().map(|r| r.to.cmp(&found)) {
        Some(std::cmp::Ordering::Greater) => "ScaleUp",
        Some(std::cmp::Ordering::Less) => "ScaleDown",
        _ => "None",
    };
    let conditions: Vec<Value> = decision
        .outcome
        .conditions
        .iter()
        .map(|c| json!({"type": c.kind, "status": c.status, "reason": c.reason, "message": c.message}))
        .collect();
    let events: Vec<Value> = decision
        .outcome
        .events
        .iter()
        .map(|e| json!({"type": e.kind.as_str(), "reason": e.reason, "message": e.message}))
        .collect();
    if decision.outcome.current_metrics != CurrentMetrics::Kept {
        assert_eq!(status.desired_replicas, decision.desired_replicas);
    }
    json!({
        "currentReplicas": status.current_replicas.unwrap_or(0),
        "desiredReplicas": status.desired_replicas,
        "action": action,
        "conditions": conditions,
        "currentMetrics": status.current_metrics.unwrap_or_default(),
        "events": events,
    })
}

fn answers_as_recorded(file: &[u8]) {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let docs = case["docs"].as_array().unwrap();
        let ours = answer(&read(docs));
        cases += 1;
        if ours != case["expect"] {
            wrong.push(format!(
                "{}\n  ours     {ours}\n  recorded {}",
                case["name"], case["expect"]
            ));
        }
    }
    let shown = wrong
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {cases} differ:\n{shown}",
        wrong.len()
    );
    assert!(cases > 0);
}

#[test]
fn upstreams_own_tests_are_answered_as_recorded() {
    answers_as_recorded(include_bytes!("../conformance/upstream.jsonl.gz"));
}

#[test]
fn random_cases_are_answered_as_recorded() {
    answers_as_recorded(include_bytes!("../conformance/random.jsonl.gz"));
}
