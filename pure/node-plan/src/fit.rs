//! Whether one pod fits on one node.

use crate::{Amounts, Effect, Node, Pod};
use std::fmt;

/// Why a pod does not fit on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The node was cordoned.
    Unschedulable,
    /// The pod does not tolerate a taint.
    Taint,
    /// The selector or the affinity does not match.
    Affinity,
    /// The node has as many pods as it may have.
    TooManyPods,
    /// Too little of a resource is free.
    Insufficient {
        /// The resource.
        resource: String,
        /// Whether even the empty node has too little.
        ever: bool,
    },
}

impl Reason {
    /// Whether taking other pods away could help.
    pub fn is_curable(&self) -> bool {
        match self {
            Self::Insufficient { ever, .. } => !ever,
            Self::TooManyPods => true,
            Self::Unschedulable | Self::Taint | Self::Affinity => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unschedulable => "node(s) were unschedulable",
            Self::Taint => "node(s) had untolerated taint(s)",
            Self::Affinity => "node(s) didn't match Pod's node affinity/selector",
            Self::TooManyPods => "Too many pods",
            Self::Insufficient { resource, .. } => return write!(f, "Insufficient {resource}"),
        })
    }
}

/// Why `pod` does not fit on `node`; empty if it fits. Only resources give several reasons: the
/// other filters end the search, in upstream's order.
pub fn misfits(pod: &Pod, node: &Node) -> Vec<Reason> {
    if node.unschedulable && !tolerates_cordon(pod) {
        return vec![Reason::Unschedulable];
    }
    let repelled = node.taints.iter().any(|taint| {
        taint.effect != Effect::PreferNoSchedule
            && !pod
                .tolerations
                .iter()
                .any(|toleration| toleration.accepts(taint))
    });
    if repelled {
        return vec![Reason::Taint];
    }
    if !matches_affinity(pod, node) {
        return vec![Reason::Affinity];
    }
    lacking(pod, node)
}

fn tolerates_cordon(pod: &Pod) -> bool {
    let cordon = crate::Taint {
        key: "node.kubernetes.io/unschedulable".into(),
        value: String::new(),
        effect: Effect::NoSchedule,
    };
    pod.tolerations
        .iter()
        .any(|toleration| toleration.accepts(&cordon))
}

fn matches_affinity(pod: &Pod, node: &Node) -> bool {
    pod.node_selector
        .iter()
        .all(|(key, value)| node.labels.get(key) == Some(value))
        && pod
            .required
            .as_ref()
            .is_none_or(|terms| terms.iter().any(|term| term.matches(node)))
}

pub(crate) fn amount(amounts: &Amounts, resource: &str) -> i64 {
    amounts.get(resource).copied().unwrap_or(0)
}

fn lacking(pod: &Pod, node: &Node) -> Vec<Reason> {
    let (most, count) = node.pods;
    let crowded = (count >= most).then_some(Reason::TooManyPods);
    let short = pod
        .requests
        .iter()
        .filter(|(_, wanted)| **wanted > 0)
        .filter_map(|(name, wanted)| {
            let all = amount(&node.allocatable, name);
            let free = all.saturating_sub(amount(&node.requested, name));
            let ever = *wanted > all;
            (*wanted > free).then(|| Reason::Insufficient {
                resource: name.clone(),
                ever,
            })
        });
    crowded.into_iter().chain(short).collect()
}
