//! Which nodes a DaemonSet's pods belong on, and how a pod is made to go there.
//!
//! Upstream: pkg/controller/daemon/daemon_controller.go, NodeShouldRunDaemonPod;
//! util/daemonset_util.go (v1.36).

use crate::pods;
use crate::scheduler::convert;
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};

/// The taints that daemons do not mind.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// What a node is to a DaemonSet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// A pod should be there.
    pub(super) run: bool,
    /// A pod that is there may stay.
    pub(super) stay: bool,
}

/// Whether `pod`, as made for the set, belongs on `node`. Resources do not count.
pub(super) fn fit(pod: &Pod, node: &Node) -> Fit {
    let wish = node_plan::Pod {
        requests: node_plan::Amounts::new(),
        ..convert::pod(pod)
    };
    let mut node = convert::node(node);
    node.unschedulable = false;
    node.pods = (1, 0);
    let run = node_plan::misfits(&wish, &node).is_empty();
    // A taint that only keeps new pods away does not drive one out.
    node.taints
        .retain(|taint| taint.effect == node_plan::Effect::NoExecute);
    Fit {
        run,
        stay: node_plan::misfits(&wish, &node).is_empty(),
    }
}

/// Adds the tolerations that every daemon has.
pub(super) fn tolerate(spec: &mut PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    let host = spec.host_network == Some(true);
    let network = host.then_some(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    for (key, effect) in TOLERATED.into_iter().chain(network) {
        let toleration = Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            effect: Some(effect.into()),
            ..Toleration::default()
        };
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
}

/// Binds the pod to one node by name, for the scheduler to see.
pub(super) fn pin(spec: &mut PodSpec, node: &str) {
    let only = NodeSelectorRequirement {
        key: "metadata.name".into(),
        operator: "In".into(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = spec.affinity.get_or_insert_default();
    let affinity = affinity.node_affinity.get_or_insert_default();
    let required = &mut affinity.required_during_scheduling_ignored_during_execution;
    let terms = required.get_or_insert_with(NodeSelector::default);
    if terms.node_selector_terms.is_empty() {
        terms.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut terms.node_selector_terms {
        term.match_fields = Some(vec![only.clone()]);
    }
}

/// The node that the pod is on, or is pinned to.
pub(super) fn node_of(pod: &Pod) -> Option<&str> {
    pods::node_name(pod).or_else(|| {
        let affinity = pod
            .spec
            .as_ref()?
            .affinity
            .as_ref()?
            .node_affinity
            .as_ref()?;
        let required = affinity
            .required_during_scheduling_ignored_during_execution
            .as_ref()?;
        let fields = required
            .node_selector_terms
            .first()?
            .match_fields
            .as_ref()?;
        fields.first()?.values.as_ref()?.first().map(String::as_str)
    })
}
