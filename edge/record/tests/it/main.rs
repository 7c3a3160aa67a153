//! Snapshots against what Kubernetes' own controller answered.

#[cfg(test)]
mod conformance;
