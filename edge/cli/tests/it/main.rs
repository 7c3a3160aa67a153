//! The real binary, driven by the real kubectl and the real python client.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where"
)]

mod basics;
mod crash;
mod deploy;
mod exercise;
mod explain;
mod golden;
mod helm;
mod history;
mod lab;
mod operate;
mod own_kind;
mod python;
mod real;
mod simulated;
mod terminal;
mod tools;
