//! Snapshots: files that hold everything one decision takes, and what is printed about it.
//!
//! A snapshot is a YAML stream, JSON or `List`s of objects as kubectl prints them, and perhaps a
//! `DecisionContext` (docs/explain.md has the format). Reading one gives what [`hpa::decide`] takes;
//! writing one gives a file that reads back to the same decision.
//!
//! Not here: files and clients. Bytes and objects come in, text goes out.

mod answer;
mod autoscaler;
mod check;
mod context;
mod documents;
mod error;
mod metrics;
mod ownership;
mod snapshot;
mod target;
mod tree;
mod typed;
mod what_if;
mod write;

pub use answer::{Answer, subject};
pub use context::Unavailable;
pub use documents::{Documents, INPUT_BYTES_MAX};
pub use error::{Error, Place};
pub use snapshot::{Choice, Snapshot};
pub use write::yaml;
