//! The HorizontalPodAutoscaler controller: observes, asks [`hpa::decide`], carries out.
//!
//! ```text
//! HPAs ──watch──▶ fleet ──one loop each──▶ observe ─▶ hpa::decide ─▶ plan ─▶ carry out
//! ```
//!
//! Autoscalers of two kinds are served, upstream's and our own (`kinds`); to all but `kinds`, `claims` and `standby`
//! they are one. Nothing is decided here. It needs what upstream's role `system:controller:horizontal-pod-autoscaler`
//! grants, no more. Upstream: pkg/controller/podautoscaler (v1.36).

mod admin;
mod args;
mod bells;
mod claims;
mod config;
mod custom;
mod decision_log;
mod errors;
mod fleet;
mod kinds;
mod look;
mod mapping;
mod member;
mod memory;
mod monitor;
mod observe;
mod operate;
mod ownership;
mod pace;
mod plan;
mod reconcile;
mod report;
mod selectors;
mod standby;
mod target;
mod world;

pub use args::{Args, LeaderFlags, ServingFlags};
pub use config::{Clock, Config, HpaFlags};
pub use fleet::run;
pub use kinds::Kind;
pub use look::{Look, ReplicaSet};
pub use member::Occasion;
pub use memory::Keep;
pub use monitor::Monitor;
pub use operate::operate;
pub use plan::{Effect, Plan, plan, refused};
pub use report::{DecisionRecord, MetricRecord, OnDecision, Unit};
