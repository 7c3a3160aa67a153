//! What every long-running part of Evenkeel needs once: the clock, clients, serving, signals, logs.
//!
//! Not here: anything that decides.

pub mod clock;
pub mod network;
