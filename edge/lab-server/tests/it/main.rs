//! The server as its clients see it: in memory, through `kube::Client` and plain requests.

mod aggregate;
mod crd;
mod crud;
mod deletion;
mod durability;
mod lists;
mod patches;
mod raw;
mod security;
mod services;
mod watches;
