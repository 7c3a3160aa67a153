//! The workloads of the exercise: `backend-app`, which burns CPU for every request, and `batch-app`,
//! a job of a few seconds. Real work, measured by the operating system like any other program's.
//!
//! Not here: anything that knows about Kubernetes, beyond the address a pod has.

pub mod app;
pub mod burn;
pub mod job;
