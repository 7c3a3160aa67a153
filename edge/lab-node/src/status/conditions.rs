//! The kubelet's conditions of a pod. Upstream: pkg/kubelet/status/generate.go.

use super::containers::whole;
use crate::facts::{Facts, Role, State};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Upstream: PodConditionByKubelet (pkg/kubelet/types/pod_status.go).
const OURS: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// A condition's verdict: true, or why not.
struct Verdict {
    holds: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Verdict {
    const TRUE: Self = Self {
        holds: true,
        reason: None,
        message: None,
    };

    fn no(reason: &'static str, message: Option<String>) -> Self {
        Self {
            holds: false,
            reason: Some(reason),
            message,
        }
    }
}

/// All conditions: those of others as they were, then ours in upstream's order.
pub(super) fn conditions(
    now: Timestamp,
    pod: &Pod,
    facts: &[Facts],
    status: &PodStatus,
) -> Vec<PodCondition> {
    let before = pod
        .status
        .as_ref()
        .and_then(|s| s.conditions.as_deref())
        .unwrap_or_default();
    let mut list: Vec<PodCondition> = before
        .iter()
        .filter(|c| !OURS.contains(&c.type_.as_str()))
        .cloned()
        .collect();
    let phase = status.phase.as_deref().unwrap_or_default();
    let has_sandbox = status.pod_ip.is_some() && !matches!(phase, "Failed" | "Succeeded");
    let sandbox = Verdict {
        holds: has_sandbox,
        reason: None,
        message: None,
    };
    let containers_ready = containers_ready(facts, phase);
    let ready = ready(pod, before, &containers_ready);
    let verdicts = [
        ("PodReadyToStartContainers", sandbox),
        ("Initialized", initialized(facts, phase)),
        ("Ready", ready),
        ("ContainersReady", containers_ready),
        ("PodScheduled", Verdict::TRUE),
    ];
    for (kind, verdict) in verdicts {
        list.push(condition(now, pod, before, kind, verdict));
    }
    list
}

fn condition(
    now: Timestamp,
    pod: &Pod,
    before: &[PodCondition],
    kind: &str,
    verdict: Verdict,
) -> PodCondition {
    let status = if verdict.holds { "True" } else { "False" };
    let old = before.iter().find(|c| c.type_ == kind);
    let since = old
        .filter(|c| c.status == status)
        .and_then(|c| c.last_transition_time.clone())
        .unwrap_or_else(|| Time(whole(now)));
    PodCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: verdict.reason.map(str::to_owned),
        message: verdict.message,
        last_transition_time: Some(since),
        last_probe_time: None,
        observed_generation: pod.metadata.generation,
    }
}

/// Go's `%s` of a string slice.
fn go_list(names: &[&str]) -> String {
    format!("[{}]", names.join(" "))
}

fn initialized(facts: &[Facts], phase: &str) -> Verdict {
    if phase == "Succeeded" {
        return Verdict {
            reason: Some("PodCompleted"),
            ..Verdict::TRUE
        };
    }
    let app_has_run = facts
        .iter()
        .any(|c| c.role == Role::App && (c.state.is_running() || c.latest_end().is_some()));
    let incomplete: Vec<&str> = facts
        .iter()
        .filter(|c| match c.role {
            Role::App => false,
            Role::Sidecar => !c.started,
            Role::Init => !matches!(&c.state, State::Ended(e) if e.code == 0),
        })
        .map(|c| c.name.as_str())
        .collect();
    if incomplete.is_empty() || app_has_run {
        return Verdict::TRUE;
    }
    let message = format!(
        "containers with incomplete status: {}",
        go_list(&incomplete)
    );
    Verdict::no("ContainersNotInitialized", Some(message))
}

fn containers_ready(facts: &[Facts], phase: &str) -> Verdict {
    match phase {
        "Succeeded" => return Verdict::no("PodCompleted", None),
        "Failed" => return Verdict::no("PodFailed", None),
        _ => {}
    }
    let unready: Vec<&str> = facts
        .iter()
        .filter(|c| c.role != Role::Init && !(c.state.is_running() && c.ready))
        .map(|c| c.name.as_str())
        .collect();
    if unready.is_empty() {
        return Verdict::TRUE;
    }
    let message = format!("containers with unready status: {}", go_list(&unready));
    Verdict::no("ContainersNotReady", Some(message))
}

fn ready(pod: &Pod, conditions: &[PodCondition], containers: &Verdict) -> Verdict {
    if !containers.holds {
        return Verdict {
            holds: false,
            reason: containers.reason,
            message: containers.message.clone(),
        };
    }
    let gates = pod
        .spec
        .as_ref()
        .and_then(|s| s.readiness_gates.as_deref())
        .unwrap_or_default();
    let unready: Vec<String> = gates
        .iter()
        .filter_map(|gate| {
            let kind = &gate.condition_type;
            match conditions.iter().find(|c| c.type_ == *kind) {
                None => Some(format!(
                    "corresponding condition of pod readiness gate {kind:?} does not exist."
                )),
                Some(c) if c.status != "True" => Some(format!(
                    "the status of pod readiness gate {kind:?} is not \"True\", but {}",
                    c.status
                )),
                Some(_) => None,
            }
        })
        .collect();
    if unready.is_empty() {
        return Verdict::TRUE;
    }
    Verdict::no("ReadinessGatesNotReady", Some(unready.join(", ")))
}
