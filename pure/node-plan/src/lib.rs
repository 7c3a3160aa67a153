//! Which node a pod fits on, and in upstream's words why it fits on none.
//!
//! Upstream: pkg/scheduler (v1.36): the plugins NodeUnschedulable, TaintToleration, NodeAffinity and
//! NodeResourcesFit as filters; LeastAllocated, spreading, preferred affinity and taints as scores.
//! Not here: preemption, ports, volumes, pod affinity, topology constraints of the pod's own.

mod affinity;
mod choice;
mod fit;

pub use affinity::{Operator, Preference, Requirement, Term};
pub use choice::{Choice, choose};
pub use fit::{Reason, misfits};

use std::collections::BTreeMap;

/// Amounts by resource name, each in its own unit (`cpu` in thousandths).
pub type Amounts = BTreeMap<String, i64>;

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They are not put there.
    NoSchedule,
    /// They are put there only if nothing else is as good.
    PreferNoSchedule,
    /// They are not put there, and do not stay.
    NoExecute,
}

/// A node's mark that keeps pods away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// The taint's key.
    pub key: String,
    /// The taint's value; may be empty.
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

/// A pod's acceptance of taints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// The key; empty tolerates every key.
    pub key: String,
    /// The value that must be equal; `None` accepts every value (operator Exists).
    pub value: Option<String>,
    /// The effect; `None` accepts every effect.
    pub effect: Option<Effect>,
}

impl Toleration {
    /// Whether this accepts `taint`.
    pub fn accepts(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|effect| effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && self
                .value
                .as_ref()
                .is_none_or(|value| *value == taint.value)
    }
}

/// A node with what runs on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The node's name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// Whether it was cordoned.
    pub unschedulable: bool,
    /// What pods may use.
    pub allocatable: Amounts,
    /// What its pods request.
    pub requested: Amounts,
    /// How many pods it may have, and has.
    pub pods: (i64, i64),
    /// How many of its pods belong with the one to place (the same owner).
    pub siblings: u32,
}

/// A pod to place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// What it requests.
    pub requests: Amounts,
    /// Labels that the node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Terms of which the node must match one; `None` asks for nothing.
    pub required: Option<Vec<Term>>,
    /// Terms that make a node better.
    pub preferred: Vec<Preference>,
    /// The taints it accepts.
    pub tolerations: Vec<Toleration>,
}

#[cfg(test)]
mod tests;
