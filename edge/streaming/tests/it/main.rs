//! The real `kubectl`, old and new, against a server that fakes just enough of an API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

mod fake;
mod fuzz;
mod kubectl;
