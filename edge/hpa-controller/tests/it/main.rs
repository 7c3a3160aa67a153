//! The controller against what Kubernetes' own controller answered, and against a lab in memory.

#[cfg(test)]
mod aggregated;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod world;
