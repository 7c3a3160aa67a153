//! A pod's status, from facts: what the kubelet writes, in its words.
//!
//! Upstream: generateAPIPodStatus and getPhase (pkg/kubelet/kubelet_pods.go),
//! pkg/kubelet/status/generate.go.

mod conditions;
mod containers;

#[cfg(test)]
mod tests;

use crate::facts::{Facts, Role, State, restarts};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, HostIP, Pod, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// What else a status says.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The node's address.
    pub host_ip: String,
    /// The pod's address, once it has one.
    pub pod_ip: Option<String>,
    /// When the node took the pod.
    pub started_at: Option<Timestamp>,
    /// The node ended the pod, and why: `DeadlineExceeded`, `Evicted`, …
    pub failed: Option<(String, String)>,
    /// Nothing will be started any more.
    pub over: bool,
}

/// The status to write. `pod.status` is the one written before: conditions keep their times from it,
/// and those of others are kept whole.
pub fn status(now: Timestamp, pod: &Pod, facts: &[Facts], around: &Circumstances) -> PodStatus {
    let before = pod.status.clone().unwrap_or_default();
    let (init, apps): (Vec<_>, Vec<_>) = facts.iter().partition(|f| f.role != Role::App);
    let policy = pod.spec.as_ref().and_then(|s| s.restart_policy.as_deref());
    let computed = match &around.failed {
        Some(_) => "Failed",
        None => phase(policy, facts, around.over),
    };
    let terminal = |p: &&str| matches!(*p, "Failed" | "Succeeded");
    let phase = before
        .phase
        .as_deref()
        .filter(terminal)
        .unwrap_or(computed)
        .to_owned();
    let keep_reason = before.phase.as_deref() == Some(phase.as_str());
    let (reason, message) = match &around.failed {
        Some((reason, message)) => (Some(reason.clone()), Some(message.clone())),
        None if keep_reason => (before.reason.clone(), before.message.clone()),
        None => (None, None),
    };
    let ip = around.pod_ip.clone().or(before.pod_ip);
    let statuses = |list: &[&Facts]| -> Option<Vec<ContainerStatus>> {
        (!list.is_empty()).then(|| list.iter().map(|f| containers::status(f)).collect())
    };
    let mut status = PodStatus {
        phase: Some(phase),
        reason,
        message,
        host_ip: Some(around.host_ip.clone()),
        host_ips: Some(vec![HostIP {
            ip: around.host_ip.clone(),
        }]),
        pod_ips: ip.clone().map(|ip| vec![PodIP { ip }]),
        pod_ip: ip,
        start_time: around.started_at.map(Time).or(before.start_time),
        qos_class: before.qos_class,
        init_container_statuses: statuses(&init),
        container_statuses: statuses(&sorted(apps)),
        observed_generation: pod.metadata.generation,
        ..PodStatus::default()
    };
    status.conditions = Some(conditions::conditions(now, pod, facts, &status));
    status
}

/// Upstream sorts the statuses of app containers by name. Upstream: SortedContainerStatuses.
fn sorted(mut apps: Vec<&Facts>) -> Vec<&Facts> {
    apps.sort_by(|a, b| a.name.cmp(&b.name));
    apps
}

/// Upstream: getPhase.
fn phase(policy: Option<&str>, facts: &[Facts], over: bool) -> &'static str {
    let mut count = Counts::default();
    for container in facts {
        count.add(policy, container);
    }
    let has_run = facts
        .iter()
        .any(|c| c.role == Role::App && (c.state.is_running() || c.latest_end().is_some()));
    if count.init_failed_for_good > 0 {
        "Failed"
    } else if count.pending_init > 0
        || (count.pending_sidecars > 0 && !has_run)
        || count.waiting > 0
    {
        "Pending"
    } else if count.running > 0 {
        "Running"
    } else if count.stopped == 0 {
        "Pending"
    } else if !over && count.stopped != count.stopped_for_good {
        "Running"
    } else if count.stopped == count.succeeded {
        "Succeeded"
    } else {
        "Failed"
    }
}

#[derive(Debug, Default)]
struct Counts {
    pending_init: u32,
    init_failed_for_good: u32,
    pending_sidecars: u32,
    running: u32,
    waiting: u32,
    stopped: u32,
    stopped_for_good: u32,
    succeeded: u32,
}

impl Counts {
    fn add(&mut self, policy: Option<&str>, container: &Facts) {
        let end = container.latest_end();
        let for_good = end.is_some_and(|e| !restarts(container.role, policy, e.code));
        match (container.role, &container.state) {
            (Role::Init, State::Running { .. }) => self.pending_init += 1,
            (Role::Init, _) => match end {
                None => self.pending_init += 1,
                Some(end) if end.code != 0 && for_good => self.init_failed_for_good += 1,
                // Waiting to be tried again: upstream counts it neither way, but the app containers
                // wait meanwhile.
                Some(_) => {}
            },
            (Role::Sidecar, State::Running { .. }) => {
                self.running += 1;
                self.pending_sidecars += u32::from(!container.started);
            }
            (Role::Sidecar, _) if end.is_none() => {
                self.pending_sidecars += 1;
                self.waiting += 1;
            }
            (Role::Sidecar, _) => {}
            (Role::App, State::Running { .. }) => self.running += 1,
            (Role::App, _) => match end {
                None => self.waiting += 1,
                Some(end) => {
                    self.stopped += 1;
                    self.stopped_for_good += u32::from(for_good);
                    self.succeeded += u32::from(end.code == 0);
                }
            },
        }
    }
}
