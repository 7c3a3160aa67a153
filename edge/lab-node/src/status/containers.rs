//! One container's status. Upstream: convertContainerStatusToAPIStatus (pkg/kubelet/kubelet_pods.go).

use crate::facts::{Ended, Facts, Role, State};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The status of one container.
pub(super) fn status(facts: &Facts) -> ContainerStatus {
    let running = facts.state.is_running();
    let completed_init =
        facts.role == Role::Init && matches!(&facts.state, State::Ended(e) if e.code == 0);
    ContainerStatus {
        name: facts.name.clone(),
        image: facts.image.clone(),
        image_id: if facts.image_known && !facts.id.is_empty() {
            image_id(&facts.image)
        } else {
            String::new()
        },
        container_id: (!facts.id.is_empty()).then(|| facts.id.clone()),
        restart_count: facts.restarts,
        ready: completed_init || (running && facts.ready && facts.role != Role::Init),
        started: Some(running && facts.started),
        state: Some(state(facts)),
        last_state: Some(ContainerState {
            terminated: facts.last.as_ref().map(terminated),
            ..ContainerState::default()
        }),
        ..ContainerStatus::default()
    }
}

/// Images are programs of this machine: the name is all there is.
fn image_id(image: &str) -> String {
    format!("evenkeel://{image}")
}

fn state(facts: &Facts) -> ContainerState {
    match &facts.state {
        State::Waiting { reason, message } => ContainerState {
            waiting: Some(ContainerStateWaiting {
                reason: Some(reason.clone()),
                message: message.clone(),
            }),
            ..ContainerState::default()
        },
        State::Running { since } => ContainerState {
            running: Some(ContainerStateRunning {
                started_at: Some(Time(whole(*since))),
            }),
            ..ContainerState::default()
        },
        State::Ended(ended) => ContainerState {
            terminated: Some(terminated(ended)),
            ..ContainerState::default()
        },
    }
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    ContainerStateTerminated {
        container_id: (!ended.id.is_empty()).then(|| ended.id.clone()),
        exit_code: ended.code,
        signal: None,
        reason: Some(ended.reason.clone()),
        message: ended.message.clone(),
        started_at: Some(Time(whole(
            ended.started_at.unwrap_or(Timestamp::UNIX_EPOCH),
        ))),
        finished_at: Some(Time(whole(ended.finished_at))),
    }
}

/// `metav1.Time` has whole seconds on the wire.
pub(super) fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
