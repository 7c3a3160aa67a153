//! A Deployment's status: counts, and the conditions Available, Progressing and ReplicaFailure.
//!
//! Upstream: pkg/controller/deployment/{sync,progress}.go, util/deployment_util.go (v1.36).

use super::plan::{Work, max_unavailable};
use super::template::{available, replicas};
use crate::meta::{self, stamp};
use crate::replica_set::nonzero;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentStatus, ReplicaSetStatus,
};

const AVAILABLE: &str = "Available";
const PROGRESSING: &str = "Progressing";
const REPLICA_FAILURE: &str = "ReplicaFailure";
const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";

fn condition(
    kind: &str,
    status: &str,
    reason: &str,
    text: String,
    now: Timestamp,
) -> DeploymentCondition {
    DeploymentCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(text),
        last_update_time: Some(stamp(now)),
        last_transition_time: Some(stamp(now)),
    }
}

fn get<'a>(status: &'a DeploymentStatus, kind: &str) -> Option<&'a DeploymentCondition> {
    status
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == kind)
}

fn remove(status: &mut DeploymentStatus, kind: &str) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| condition.type_ != kind);
    }
}

/// Upstream: SetDeploymentCondition: the same status and reason leave all as it was.
fn set(status: &mut DeploymentStatus, mut new: DeploymentCondition) {
    if let Some(old) = get(status, &new.type_) {
        if old.status == new.status && old.reason == new.reason {
            return;
        }
        if old.status == new.status {
            new.last_transition_time
                .clone_from(&old.last_transition_time);
        }
    }
    remove(status, &new.type_);
    status.conditions.get_or_insert_default().push(new);
}

/// Upstream: calculateStatus.
pub(crate) fn counts(work: &Work<'_>, now: Timestamp) -> DeploymentStatus {
    let old = work.deployment.status.clone().unwrap_or_default();
    let sum = |count: fn(&ReplicaSetStatus) -> i32| -> i32 {
        work.all()
            .filter_map(|set| set.status.as_ref())
            .map(count)
            .sum()
    };
    let available = work.all().map(available).sum::<i32>();
    let new = work.new.as_ref().and_then(|set| set.status.as_ref());
    let mut status = DeploymentStatus {
        observed_generation: work.deployment.metadata.generation,
        replicas: nonzero(sum(|status| status.replicas)),
        updated_replicas: nonzero(new.map_or(0, |status| status.replicas)),
        ready_replicas: nonzero(sum(|status| status.ready_replicas.unwrap_or(0))),
        available_replicas: nonzero(available),
        unavailable_replicas: nonzero((work.all().map(replicas).sum::<i32>() - available).max(0)),
        terminating_replicas: Some(sum(|status| status.terminating_replicas.unwrap_or(0))),
        collision_count: old.collision_count,
        conditions: old.conditions,
    };
    let enough = available >= work.wanted() - max_unavailable(work.spec);
    let (value, reason, text) = if enough {
        (
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    set(
        &mut status,
        condition(AVAILABLE, value, reason, text.to_owned(), now),
    );
    status
}

fn progress_deadline(deployment: &Deployment) -> Option<SignedDuration> {
    let seconds = deployment.spec.as_ref()?.progress_deadline_seconds?;
    (seconds != i32::MAX).then(|| SignedDuration::from_secs(seconds.into()))
}

/// Upstream: checkPausedConditions.
pub(crate) fn note_pause(deployment: &Deployment, status: &mut DeploymentStatus, now: Timestamp) {
    if progress_deadline(deployment).is_none() || meta::is_deleted(deployment) {
        return;
    }
    let reason = get(status, PROGRESSING).and_then(|condition| condition.reason.as_deref());
    if reason == Some(TIMED_OUT) {
        return;
    }
    let paused = deployment
        .spec
        .as_ref()
        .is_some_and(|spec| spec.paused == Some(true));
    let noted = reason == Some("DeploymentPaused");
    let (reason, text) = match (paused, noted) {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return,
    };
    set(
        status,
        condition(PROGRESSING, "Unknown", reason, text.to_owned(), now),
    );
}

/// Whether the rollout has ended well. Upstream: DeploymentComplete.
pub(crate) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    [
        status.updated_replicas,
        status.replicas,
        status.available_replicas,
    ]
    .iter()
    .all(|count| count.unwrap_or(0) == wanted)
        && status.observed_generation >= deployment.metadata.generation
}

/// Upstream: DeploymentProgressing.
fn is_progressing(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let updated = |status: &DeploymentStatus| status.updated_replicas.unwrap_or(0);
    let outdated = |status: &DeploymentStatus| status.replicas.unwrap_or(0) - updated(status);
    updated(new) > updated(old)
        || outdated(new) < outdated(old)
        || new.ready_replicas > old.ready_replicas
        || new.available_replicas > old.available_replicas
}

/// Upstream: syncRolloutStatus.
pub(crate) fn note_progress(work: &Work<'_>, status: &mut DeploymentStatus, now: Timestamp) {
    let deployment = work.deployment;
    let old = deployment.status.clone().unwrap_or_default();
    let current = get(&old, PROGRESSING).cloned();
    let was_complete = status.replicas == status.updated_replicas
        && current.as_ref().and_then(|c| c.reason.as_deref()) == Some(NEW_SET_AVAILABLE);
    let subject = match &work.new {
        Some(set) => format!("ReplicaSet {:?}", meta::name(set)),
        None => format!("Deployment {:?}", meta::name(deployment)),
    };
    if progress_deadline(deployment).is_none() {
        remove(status, PROGRESSING);
    } else if !was_complete {
        if is_complete(deployment, status) {
            let text = format!("{subject} has successfully progressed.");
            set(
                status,
                condition(PROGRESSING, "True", NEW_SET_AVAILABLE, text, now),
            );
        } else if is_progressing(&old, status) {
            let text = format!("{subject} is progressing.");
            let mut new = condition(PROGRESSING, "True", "ReplicaSetUpdated", text, now);
            if let Some(current) = current.filter(|current| current.status == "True") {
                new.last_transition_time = current.last_transition_time;
            }
            remove(status, PROGRESSING);
            set(status, new);
        } else if timeout(deployment, status).is_some_and(|at| at < now) {
            let text = format!("{subject} has timed out progressing.");
            set(
                status,
                condition(PROGRESSING, "False", TIMED_OUT, text, now),
            );
        }
    }
    note_failures(work, status);
}

/// The failures of the new set, or of any old one. Upstream: getReplicaFailures.
fn note_failures(work: &Work<'_>, status: &mut DeploymentStatus) {
    let failure = work.new.iter().chain(&work.old).find_map(|set| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        conditions
            .iter()
            .find(|condition| condition.type_ == REPLICA_FAILURE)
    });
    match failure {
        Some(failure) => set(
            status,
            DeploymentCondition {
                type_: failure.type_.clone(),
                status: failure.status.clone(),
                reason: failure.reason.clone(),
                message: failure.message.clone(),
                last_update_time: failure.last_transition_time.clone(),
                last_transition_time: failure.last_transition_time.clone(),
            },
        ),
        None => remove(status, REPLICA_FAILURE),
    }
}

/// When the rollout times out; `None` if it has ended one way or the other.
fn timeout(deployment: &Deployment, status: &DeploymentStatus) -> Option<Timestamp> {
    let progressing = get(status, PROGRESSING)?;
    if matches!(
        progressing.reason.as_deref(),
        Some(NEW_SET_AVAILABLE | TIMED_OUT)
    ) {
        return None;
    }
    let from = progressing.last_update_time.as_ref()?.0;
    from.checked_add(progress_deadline(deployment)?).ok()
}

/// When to look again whether the rollout has timed out. Upstream: requeueStuckDeployment.
pub(crate) fn deadline(
    deployment: &Deployment,
    status: &DeploymentStatus,
    now: Timestamp,
) -> Option<Timestamp> {
    let at = timeout(deployment, status)?
        .checked_add(SignedDuration::from_secs(1))
        .ok()?;
    (at > now && !is_complete(deployment, status)).then_some(at)
}

/// The status after the set `name` was made.
pub(crate) fn created(deployment: &Deployment, name: &str, now: Timestamp) -> DeploymentStatus {
    let mut status = deployment.status.clone().unwrap_or_default();
    if progress_deadline(deployment).is_some() {
        let text = format!("Created new replica set {name:?}");
        set(
            &mut status,
            condition(PROGRESSING, "True", "NewReplicaSetCreated", text, now),
        );
    }
    status
}

/// The status after a new set could not be made.
pub(crate) fn create_failed(
    deployment: &Deployment,
    text: String,
    now: Timestamp,
) -> DeploymentStatus {
    let mut status = deployment.status.clone().unwrap_or_default();
    set(
        &mut status,
        condition(PROGRESSING, "False", "ReplicaSetCreateError", text, now),
    );
    status
}
