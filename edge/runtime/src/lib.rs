//! What every long-running part of Evenkeel needs once: the clock, clients, serving, signals, logs.
//!
//! Not here: anything that decides.

pub mod auth;
pub mod certs;
pub mod client;
pub mod clock;
pub mod events;
pub mod exposition;
pub mod flags;
pub mod health;
pub mod inherited;
pub mod lease;
pub mod network;
pub mod serve;
pub mod signals;
pub mod telemetry;
