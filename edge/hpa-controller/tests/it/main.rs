//! The controller against what Kubernetes' own controller answered, and against a lab in memory.

mod conformance;
mod snapshot;
