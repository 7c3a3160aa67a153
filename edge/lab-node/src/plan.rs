//! What to do next for a pod: facts in, steps out. No clock, no process, no API.
//!
//! Upstream: computePodActions and computeInitContainerActions
//! (pkg/kubelet/kuberuntime/kuberuntime_manager.go, kuberuntime_container.go).

use crate::facts::{Doom, Facts, Role, State, restarts};
use jiff::Timestamp;

#[cfg(test)]
mod tests;

/// What is asked of the pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Run it.
    Run,
    /// End it: it was deleted, or ran into its deadline.
    End,
}

/// One step. Containers are named by their place in the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start a container.
    Start(usize),
    /// Say that a container waits before it is started again.
    BackOff(usize),
    /// Kill a container, saying why.
    Kill(usize, String),
}

/// Steps to take now, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What to do.
    pub steps: Vec<Step>,
    /// When something will be due that no event announces.
    pub wake: Option<Timestamp>,
    /// Nothing runs and nothing will be started any more.
    pub over: bool,
}

impl Plan {
    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }
}

/// Plans the next steps.
pub fn plan(now: Timestamp, policy: Option<&str>, facts: &[Facts], wish: Wish) -> Plan {
    let mut plan = Plan::default();
    if wish == Wish::End || is_finished(policy, facts) {
        end(facts, &mut plan);
        return plan;
    }
    for (index, container) in facts.iter().enumerate() {
        if let Some(doom) = container.doomed
            && container.state.is_running()
            && !container.stopping
        {
            plan.steps
                .push(Step::Kill(index, doom_message(container, doom, policy)));
        }
    }
    if !initialize(now, policy, facts, &mut plan) {
        return plan;
    }
    for (index, container) in facts.iter().enumerate() {
        if container.role == Role::App {
            keep_running(now, policy, container, index, &mut plan);
        }
    }
    plan
}

/// Whether every app container has ended for good, or an init container has failed for good.
pub fn is_finished(policy: Option<&str>, facts: &[Facts]) -> bool {
    let for_good = |c: &Facts| {
        c.latest_end()
            .is_some_and(|e| !restarts(c.role, policy, e.code))
    };
    let init_failed = facts.iter().any(|c| {
        c.role == Role::Init && for_good(c) && c.latest_end().is_some_and(|e| e.code != 0)
    });
    let mut apps = facts.iter().filter(|c| c.role == Role::App).peekable();
    init_failed || (apps.peek().is_some() && apps.all(for_good))
}

/// Kills what runs: sidecars only after everything else, the last first.
fn end(facts: &[Facts], plan: &mut Plan) {
    let running = |c: &&Facts| c.state.is_running();
    let others_run = facts
        .iter()
        .filter(running)
        .any(|c| c.role != Role::Sidecar);
    let last_sidecar = facts
        .iter()
        .rposition(|c| c.state.is_running() && c.role == Role::Sidecar);
    for (index, container) in facts
        .iter()
        .enumerate()
        .filter(|(_, c)| c.state.is_running())
    {
        let turn = if others_run {
            container.role != Role::Sidecar
        } else {
            Some(index) == last_sidecar
        };
        if turn && !container.stopping {
            let message = format!("Stopping container {}", container.name);
            plan.steps.push(Step::Kill(index, message));
        }
    }
    plan.over = !facts.iter().any(|c| c.state.is_running());
}

/// Starts init containers in their order; whether the app containers may run.
fn initialize(now: Timestamp, policy: Option<&str>, facts: &[Facts], plan: &mut Plan) -> bool {
    // Once an app container has run, init containers have had their time; sidecars are kept up.
    let initialized = facts
        .iter()
        .any(|c| c.role == Role::App && (c.state.is_running() || c.latest_end().is_some()));
    for (index, container) in facts.iter().enumerate() {
        match container.role {
            Role::App => {}
            Role::Sidecar => {
                keep_running(now, policy, container, index, plan);
                if !container.started && !initialized {
                    return false;
                }
            }
            Role::Init if initialized => {}
            Role::Init => {
                let done = matches!(&container.state, State::Ended(ended) if ended.code == 0);
                if !done {
                    keep_running(now, policy, container, index, plan);
                    return false;
                }
            }
        }
    }
    true
}

/// Starts a container that does not run and should.
fn keep_running(
    now: Timestamp,
    policy: Option<&str>,
    container: &Facts,
    index: usize,
    plan: &mut Plan,
) {
    if container.state.is_running() {
        return;
    }
    if let Some(failed_at) = container.start_failed_at
        && let Some(until) = container.pull_backoff.until(failed_at, now)
    {
        plan.wake_at(until);
        plan.steps.push(Step::BackOff(index));
        return;
    }
    match container.latest_end() {
        None => plan.steps.push(Step::Start(index)),
        Some(ended) if !restarts(container.role, policy, ended.code) => {}
        Some(ended) => match container.restart_backoff.until(ended.finished_at, now) {
            None => plan.steps.push(Step::Start(index)),
            Some(until) => {
                plan.wake_at(until);
                plan.steps.push(Step::BackOff(index));
            }
        },
    }
}

fn doom_message(container: &Facts, doom: Doom, policy: Option<&str>) -> String {
    let probe = match doom {
        Doom::Liveness => "liveness",
        Doom::Startup => "startup",
    };
    let name = &container.name;
    match container.role {
        Role::App if restarts(Role::App, policy, 1) => {
            format!("Container {name} failed {probe} probe, will be restarted")
        }
        Role::App => format!("Container {name} failed {probe} probe"),
        Role::Init | Role::Sidecar => format!("Init container {name} failed {probe} probe"),
    }
}
