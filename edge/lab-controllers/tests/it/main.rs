//! The controllers on the lab server in memory, with a kubelet that only pretends.

mod cascade;
mod deployment;
mod job;
mod kubelet;
mod lab;
mod others;
mod services;
mod sets;
