//! `HorizontalPodAutoscaler` of `evenkeel.dev/v1`: autoscaling/v2's specification and status under a name of our own,
//! with options as fields.
//!
//! Objects are JSON values, as for [`crate::autoscaling`]. To everybody who decides, ours are autoscaling/v2
//! objects in memory whose options are annotations; nothing of that is ever written back.
//! Not here: who serves it, and moving autoscalers from one kind to the other.

mod convert;
mod definition;
mod options;
mod schema;
mod status;

pub use convert::{from_plain, into_plain, to_plain};
pub use definition::definition;
pub use status::{Problem, able, stand_by, status};

/// The group.
pub const GROUP: &str = "evenkeel.dev";
/// Its only version.
pub const VERSION: &str = "v1";
/// Both.
pub const API_VERSION: &str = "evenkeel.dev/v1";
/// The kind, which is upstream's word.
pub const KIND: &str = "HorizontalPodAutoscaler";
/// What paths call it.
pub const PLURAL: &str = "horizontalpodautoscalers";
/// Upstream's `hpa` is taken, and kubectl would not say which of the two it means.
pub const SHORT: &str = "ehpa";

/// The autoscaler of autoscaling/v2 that was taken over, as JSON, so that it can be given back.
pub const ADOPTED_FROM: &str = "evenkeel.dev/adopted-from";
/// A question to the controller, which repeats it in `status.handover`: it has seen the object as it is now.
pub const HANDOVER: &str = "evenkeel.dev/handover";

/// The condition's reason while another autoscaler has the same target.
pub const ANOTHER: &str = "TargetHasAnotherAutoscaler";
/// The condition's reason while the specification is one that no API server should have let through.
pub const INVALID: &str = "InvalidSpec";

#[cfg(test)]
mod tests;
