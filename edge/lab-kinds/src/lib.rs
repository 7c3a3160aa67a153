//! What the lab's API server knows about each kind of object: how it is named and served, its
//! defaults, what may change, what is refused, and how it prints as a table.
//!
//! Everything here is a function of its arguments: objects are [`serde_json::Value`]s, time and
//! randomness are values. Behaviour and texts follow Kubernetes v1.36; each module names the
//! upstream files it follows.

pub mod admission;
mod defaults;
pub mod fields;
mod json;
pub mod names;
pub mod resources;
pub mod strategy;
pub mod table;
mod validation;
pub mod versions;
