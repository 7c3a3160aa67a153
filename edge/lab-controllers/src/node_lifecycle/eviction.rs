//! When a pod has to leave a node for its NoExecute taints.
//!
//! Upstream: pkg/controller/tainteviction/taint_eviction.go (v1.36).

use crate::meta;
use crate::scheduler::convert;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Node, Pod, Taint};

fn taints(node: &Node) -> impl Iterator<Item = &Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    taints
        .into_iter()
        .flatten()
        .filter(|taint| taint.effect == "NoExecute")
}

/// Whether the node has taints that drive pods away.
pub(super) fn evicts(node: &Node) -> bool {
    taints(node).next().is_some()
}

/// When the pod is to go; `None` if it may stay.
pub(super) fn due(node: &Node, pod: &Pod) -> Option<Timestamp> {
    taints(node).filter_map(|taint| due_for(taint, pod)).min()
}

fn due_for(taint: &Taint, pod: &Pod) -> Option<Timestamp> {
    let tolerations = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref());
    let accepted = convert::taint(taint)?;
    let mut accepting = tolerations
        .unwrap_or_default()
        .iter()
        .filter(|toleration| convert::toleration(toleration).accepts(&accepted))
        .peekable();
    let since = taint
        .time_added
        .as_ref()
        .map_or_else(|| meta::created(pod), |time| time.0);
    if accepting.peek().is_none() {
        return Some(since);
    }
    let seconds = accepting
        .filter_map(|toleration| toleration.toleration_seconds)
        .min()?;
    since
        .checked_add(SignedDuration::from_secs(seconds.max(0)))
        .ok()
}
