//! What was measured and is not served, and why: nothing is left out silently.
//!
//! Upstream says the same in its log, at verbosities that few people run with. Not here: logs and counters.

use crate::rate::Decrease;
use std::fmt;

/// Something that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped<'a> {
    /// Whose figure it was.
    pub of: Of<'a>,
    /// Why it is of no use.
    pub why: Why,
}

/// Whose figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// The node's own.
    Node,
    /// A whole pod's.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        pod: &'a str,
    },
    /// A container's.
    Container {
        /// Its pod's namespace.
        namespace: &'a str,
        /// Its pod.
        pod: &'a str,
        /// Its name.
        container: &'a str,
    },
}

/// Why a figure is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// CPU or memory is missing or zero: nothing of the pod is served.
    Incomplete,
    /// It was there already in this tick.
    Duplicate,
    /// It is older than what was known: it needs another one.
    Older,
    /// A counter or a start went back.
    Decrease(Decrease),
}

impl Why {
    /// One word, for a label of a counter.
    pub fn word(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Duplicate => "duplicate",
            Self::Older => "older",
            Self::Decrease(_) => "decrease",
        }
    }
}

impl Dropped<'_> {
    /// What upstream's log says of it.
    pub fn words(&self) -> &'static str {
        let node = self.of == Of::Node;
        match (self.why, node) {
            (Why::Incomplete, true) => "Failed getting complete node metric",
            (Why::Incomplete, false) => "Failed getting complete container metric",
            (Why::Duplicate, true) => "Got duplicate node point",
            (Why::Duplicate, false) => "Got duplicate pod point",
            (Why::Older, true) => {
                "Found new node metrics point is older than stored previous, drop previous"
            }
            (Why::Older, false) => {
                "Found new container metrics point is older than stored previous, drop previous"
            }
            (Why::Decrease(_), true) => "Skipping node usage metric",
            (Why::Decrease(_), false) => "Skipping container usage metric",
        }
    }
}

/// `namespace/pod/container`, as far as there are such.
impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("node"),
            Self::Pod { namespace, pod } => write!(f, "{namespace}/{pod}"),
            Self::Container {
                namespace,
                pod,
                container,
            } => write!(f, "{namespace}/{pod}/{container}"),
        }
    }
}
