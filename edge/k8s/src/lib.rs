//! Kubernetes' wire types and what they mean to the pure crates.
//!
//! Not here: any client, any IO. Conversions and values only.

pub mod autoscaling;
pub mod features;
pub mod labels;
pub mod names;
pub mod own_kind;
pub mod quote;
pub mod selector;
pub mod status;
