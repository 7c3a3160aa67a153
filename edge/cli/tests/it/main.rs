//! The real binary, driven by the real kubectl and the real python client.

mod basics;
mod crash;
mod exercise;
mod lab;
mod python;
mod terminal;
mod tools;
