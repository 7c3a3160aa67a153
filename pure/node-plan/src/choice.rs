//! The best of the nodes that fit, or the sentence that says why none does.

use crate::fit::{Reason, amount, misfits};
use crate::{Effect, Node, Pod};
use std::collections::BTreeMap;

/// Where a pod goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// On the node of this name.
    Node(String),
    /// Nowhere, and why.
    Nowhere(String),
}

/// Weights as in upstream's default profile.
const WEIGHT_SPREAD: i64 = 2;
const WEIGHT_AFFINITY: i64 = 2;
const WEIGHT_TAINTS: i64 = 3;

/// Chooses for `pod` among `nodes`; of equally good ones the first by name.
pub fn choose(pod: &Pod, nodes: &[Node]) -> Choice {
    let tried: Vec<(&Node, Vec<Reason>)> = nodes
        .iter()
        .map(|node| (node, misfits(pod, node)))
        .collect();
    let fitting: Vec<&Node> = tried
        .iter()
        .filter(|(_, reasons)| reasons.is_empty())
        .map(|(node, _)| *node)
        .collect();
    let scores = scores(pod, &fitting);
    let best = fitting
        .iter()
        .zip(scores)
        .max_by(|(a, left), (b, right)| left.cmp(right).then_with(|| b.name.cmp(&a.name)));
    match best {
        Some((node, _)) => Choice::Node(node.name.clone()),
        None => Choice::Nowhere(explain(&tried)),
    }
}

fn scores(pod: &Pod, nodes: &[&Node]) -> Vec<i64> {
    let spread = inverse(nodes, |node| node.siblings.into());
    let taints = inverse(nodes, |node| untolerated_preferences(pod, node));
    let affinity = direct(nodes, |node| preference(pod, node));
    let each = nodes.iter().zip(spread).zip(taints).zip(affinity);
    each.map(|(((node, spread), taints), affinity)| {
        least_allocated(pod, node)
            + spread * WEIGHT_SPREAD
            + taints * WEIGHT_TAINTS
            + affinity * WEIGHT_AFFINITY
    })
    .collect()
}

fn untolerated_preferences(pod: &Pod, node: &Node) -> i64 {
    let untolerated = node.taints.iter().filter(|taint| {
        taint.effect == Effect::PreferNoSchedule
            && !pod
                .tolerations
                .iter()
                .any(|toleration| toleration.accepts(taint))
    });
    i64::try_from(untolerated.count()).unwrap_or(i64::MAX)
}

fn preference(pod: &Pod, node: &Node) -> i64 {
    let matching = pod
        .preferred
        .iter()
        .filter(|preference| preference.term.matches(node));
    matching.map(|preference| preference.weight).sum()
}

/// Values normalized to 0..=100 of the highest.
fn direct(nodes: &[&Node], value: impl Fn(&Node) -> i64) -> Vec<i64> {
    let values: Vec<i64> = nodes.iter().map(|node| value(node)).collect();
    let highest = values.iter().copied().max().unwrap_or(0);
    let normal = |value: i64| {
        if highest > 0 {
            value.saturating_mul(100) / highest
        } else {
            0
        }
    };
    values.into_iter().map(normal).collect()
}

/// The lower the value the nearer to 100.
fn inverse(nodes: &[&Node], value: impl Fn(&Node) -> i64) -> Vec<i64> {
    direct(nodes, value)
        .into_iter()
        .map(|score| 100 - score)
        .collect()
}

/// The free part of cpu and memory after the pod came, in percent. Upstream: leastRequestedScore.
fn least_allocated(pod: &Pod, node: &Node) -> i64 {
    let free = |resource: &str| {
        let all = amount(&node.allocatable, resource);
        let used = amount(&node.requested, resource) + amount(&pod.requests, resource);
        if all == 0 || used > all {
            0
        } else {
            (all - used).saturating_mul(100) / all
        }
    };
    (free("cpu") + free("memory")) / 2
}

fn histogram(reasons: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut lines: Vec<String> = counts
        .into_iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    lines.sort();
    lines.join(", ")
}

/// Upstream: FitError.Error, with what the DynamicResources and DefaultPreemption plugins add.
fn explain(tried: &[(&Node, Vec<Reason>)]) -> String {
    let total = tried.len();
    if total == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let filters = histogram(
        tried
            .iter()
            .flat_map(|(_, reasons)| reasons)
            .map(Reason::to_string),
    );
    let preemption = histogram(tried.iter().map(|(_, reasons)| {
        let curable = reasons.iter().all(Reason::is_curable);
        let text = if curable {
            "No preemption victims found for incoming pod"
        } else {
            "Preemption is not helpful for scheduling"
        };
        text.to_owned()
    }));
    format!(
        "0/{total} nodes are available: {filters}. no new claims to deallocate, \
         preemption: 0/{total} nodes are available: {preemption}."
    )
}
