//! Tests that start real processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod kubelet;
mod pods;
mod processes;
