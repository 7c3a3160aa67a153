//! The lab's API server: Kubernetes' API over a store in memory, kept on disk if wanted.
//!
//! [`Server`] is a `tower::Service`; [`start`] puts TCP and TLS around it. A request is routed by
//! `service`, which names the caller (`access`), asks whether they may, and hands a `Call` to the
//! verb (`verbs`, `watch`, `subresources`). What is particular to a kind is behind `kinds`.

mod access;
mod admission;
mod aggregate;
mod backend;
mod body;
mod bootstrap;
mod call;
mod crd;
mod derived;
mod discovery;
mod expiry;
mod filter;
mod front_door;
mod health;
mod impersonate;
mod journal;
mod kinds;
mod metrics;
mod negotiate;
mod openapi;
mod path;
mod protobuf;
mod proxy;
mod registry;
mod render;
mod reviews;
mod server;
mod service;
mod start;
mod stored;
mod subresources;
mod tokens;
mod verbs;
mod watch;

pub use body::{Body, BoxError};
pub use health::GIT_VERSION;
pub use k8s::features::Gates;
pub use lab_auth::User;
pub use server::{AsUser, Server};
pub use start::{Config, Handle, in_memory, in_memory_with, start};
