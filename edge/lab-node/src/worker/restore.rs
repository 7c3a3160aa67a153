//! A pod that an earlier run of the lab had begun: its processes are gone, its counts are not.

use crate::facts::{Ended, Facts, State};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, PodStatus};

/// Takes over what `status` says about containers. One that was running is told as ended the way a
/// container runtime does after the machine was restarted: exit code 255, reason `Unknown`.
pub(super) fn restore(facts: &mut [Facts], status: &PodStatus, now: Timestamp) {
    let statuses: Vec<_> = status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten())
        .collect();
    for container in facts {
        let Some(known) = statuses.iter().find(|s| s.name == container.name) else {
            continue;
        };
        container.restarts = known.restart_count;
        container.id = known.container_id.clone().unwrap_or_default();
        container.last = known
            .last_state
            .as_ref()
            .and_then(|s| s.terminated.as_ref())
            .map(ended);
        let Some(state) = &known.state else { continue };
        if let Some(terminated) = &state.terminated {
            container.state = State::Ended(ended(terminated));
        } else if let Some(running) = &state.running {
            container.state = State::Ended(Ended {
                code: 255,
                signal: None,
                reason: "Unknown".to_owned(),
                message: None,
                started_at: running.started_at.as_ref().map(|t| t.0),
                finished_at: now,
                id: container.id.clone(),
            });
        }
    }
}

fn ended(terminated: &ContainerStateTerminated) -> Ended {
    Ended {
        code: terminated.exit_code,
        signal: terminated.signal,
        reason: terminated.reason.clone().unwrap_or_default(),
        message: terminated.message.clone(),
        started_at: terminated.started_at.as_ref().map(|t| t.0),
        finished_at: terminated
            .finished_at
            .as_ref()
            .map_or(Timestamp::UNIX_EPOCH, |t| t.0),
        id: terminated.container_id.clone().unwrap_or_default(),
    }
}
