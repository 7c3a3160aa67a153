//! How a Deployment moves from one template to the next.

use super::plan::{Effect, Plan, View, plan};
use super::template;
use crate::fixtures::{ago, now, object};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use serde_json::{Value, json};
use std::sync::Arc;

fn deployment(spec: &Value) -> Deployment {
    let mut deployment = json!({
        "metadata": {"name": "web", "namespace": "a", "uid": "deployment", "generation": 1,
            "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {
            "replicas": 10, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "new"}]}},
        },
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        deployment["spec"][key] = value;
    }
    object(deployment)
}

/// Replicas asked for and available, of a set with an image and a revision.
fn set(
    image: &str,
    revision: i32,
    (replicas, available): (i32, i32),
    desired: i32,
) -> Arc<ReplicaSet> {
    let created = ago(1000 - i64::from(revision));
    Arc::new(object(json!({
        "metadata": {
            "name": image, "namespace": "a", "uid": image, "generation": 1,
            "creationTimestamp": created.to_string(),
            "annotations": {
                "deployment.kubernetes.io/revision": revision.to_string(),
                "deployment.kubernetes.io/desired-replicas": desired.to_string(),
                "deployment.kubernetes.io/max-replicas": (desired + (desired + 3) / 4).to_string(),
            },
        },
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "pod-template-hash": image}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
        "status": {"replicas": replicas, "readyReplicas": available, "availableReplicas": available, "observedGeneration": 1},
    })))
}

fn planned(deployment: Deployment, sets: &[Arc<ReplicaSet>]) -> Plan {
    let sets = sets.iter().map(|set| (Vec::new(), set.clone())).collect();
    plan(
        &View {
            deployment: Arc::new(deployment),
            sets,
        },
        now(),
    )
}

/// The sizes that a plan gives, as `name=size`, and what it deletes, as `-name`.
fn effects(plan: &Plan) -> Vec<String> {
    let text = |effect: &Effect| match effect {
        Effect::Create(set) => format!("+{}", template::replicas(set)),
        Effect::Update { set, .. } => {
            format!(
                "{}={}",
                set.metadata.name.clone().unwrap(),
                template::replicas(set)
            )
        }
        Effect::Delete(set) => format!("-{}", set.metadata.name.clone().unwrap()),
        Effect::Annotate(_) => "annotate".to_owned(),
    };
    plan.effects.iter().map(text).collect()
}

#[test]
fn each_step_of_a_rolling_update_stays_within_surge_and_unavailability() {
    // 10 replicas, 25 %: at most 13 pods, at least 8 available.
    for (old, new, expected) in [
        ((10, 10), (0, 0), vec!["new=3"]),
        ((10, 10), (3, 0), vec!["old=8"]),
        ((8, 8), (3, 0), vec!["new=5"]),
        ((8, 8), (5, 0), vec![]),
        ((8, 8), (5, 5), vec!["old=3"]),
        ((3, 3), (5, 5), vec!["new=10"]),
        ((3, 3), (10, 10), vec!["old=0"]),
        // Pods that are not available go first.
        ((10, 6), (3, 0), vec!["old=8"]),
        ((0, 0), (10, 10), vec![]),
    ] {
        let sets = [set("old", 1, old, 10), set("new", 2, new, 10)];
        let plan = planned(deployment(&json!({})), &sets);
        assert_eq!(effects(&plan), expected, "{old:?} {new:?}");
    }
}

#[test]
fn a_first_set_is_made_at_full_size_and_a_next_one_within_the_surge() {
    assert_eq!(effects(&planned(deployment(&json!({})), &[])), ["+10"]);
    let old = set("old", 1, (10, 10), 10);
    assert_eq!(effects(&planned(deployment(&json!({})), &[old])), ["+3"]);
}

#[test]
fn a_resize_in_the_middle_of_a_rollout_keeps_the_proportions() {
    let sets = [set("old", 1, (8, 8), 10), set("new", 2, (5, 5), 10)];
    let plan = planned(deployment(&json!({"replicas": 20})), &sets);
    // 20 and 5 more: the twelve new ones are shared out as 8 to 5.
    assert_eq!(effects(&plan), ["old=15", "new=10"]);
    let sets = [set("old", 1, (0, 0), 10), set("new", 2, (10, 10), 10)];
    let plan = planned(deployment(&json!({"replicas": 4})), &sets);
    assert_eq!(effects(&plan), ["new=4"]);
}

#[test]
fn a_paused_deployment_is_resized_but_not_rolled_out() {
    let old = set("old", 1, (10, 10), 10);
    let paused = planned(
        deployment(&json!({"paused": true})),
        std::slice::from_ref(&old),
    );
    assert!(effects(&paused).is_empty());
    let plan = planned(deployment(&json!({"paused": true, "replicas": 12})), &[old]);
    assert_eq!(effects(&plan), ["old=12"]);
    let conditions = plan.status.conditions.unwrap_or_default();
    assert!(
        conditions
            .iter()
            .any(|held| held.reason.as_deref() == Some("DeploymentPaused"))
    );
}

#[test]
fn old_sets_beyond_the_limit_go_once_the_rollout_is_complete() {
    let sets = [
        set("first", 1, (0, 0), 10),
        set("second", 2, (0, 0), 10),
        set("new", 3, (10, 10), 10),
    ];
    let mut deployment = deployment(&json!({}));
    deployment.metadata.annotations = Some(
        [(
            "deployment.kubernetes.io/revision".to_owned(),
            "3".to_owned(),
        )]
        .into(),
    );
    let mut done = planned(deployment, &sets);
    let status = &mut done.status;
    // The counts of the sets say updated = 10 only with the status of the new one.
    assert_eq!(status.updated_replicas, Some(10));
    assert_eq!(effects(&done), ["-first"]);
}

#[test]
fn a_template_that_comes_back_gets_the_next_revision() {
    let sets = [set("new", 1, (0, 0), 10), set("old", 2, (10, 10), 10)];
    let plan = planned(deployment(&json!({})), &sets);
    let Some(Effect::Update { set, .. }) = plan.effects.first() else {
        panic!("no update: {plan:?}");
    };
    let annotations = set.metadata.annotations.clone().unwrap();
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3");
    assert_eq!(
        annotations["deployment.kubernetes.io/revision-history"],
        "1"
    );
    assert_eq!(effects(&plan), ["new=0", "annotate"]);
}

#[test]
fn a_rollout_without_progress_times_out() {
    let mut stuck = deployment(&json!({}));
    stuck.status = Some(object(json!({
        "replicas": 13, "updatedReplicas": 5, "readyReplicas": 8, "availableReplicas": 8, "observedGeneration": 1,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
            "lastUpdateTime": ago(601).to_string(), "lastTransitionTime": ago(700).to_string()}],
    })));
    let sets = [set("old", 1, (8, 8), 10), set("new", 2, (5, 0), 10)];
    let plan = planned(stuck, &sets);
    let conditions = plan.status.conditions.unwrap_or_default();
    let progressing = conditions
        .iter()
        .find(|held| held.type_ == "Progressing")
        .unwrap();
    assert_eq!(
        progressing.message.as_deref(),
        Some("ReplicaSet \"new\" has timed out progressing.")
    );
    assert_eq!(
        progressing.reason.as_deref(),
        Some("ProgressDeadlineExceeded")
    );
    assert_eq!(progressing.status, "False");
}

#[test]
fn hashes_are_safe_in_names_and_change_with_the_template_and_collisions() {
    let first = template::hash(&json!({"a": 1}), None);
    assert!(!first.is_empty() && first.len() <= 10);
    assert!(
        first
            .bytes()
            .all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte)),
        "{first}"
    );
    assert_eq!(first, template::hash(&json!({"a": 1}), None));
    assert_ne!(first, template::hash(&json!({"a": 2}), None));
    assert_ne!(first, template::hash(&json!({"a": 1}), Some(1)));
}
