//! Delegated authentication and leader election against a lab in memory.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod authorities;
mod lease;
mod wire;
