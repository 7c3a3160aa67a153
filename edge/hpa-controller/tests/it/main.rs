//! The controller against a lab in memory.

#[cfg(test)]
mod aggregated;
#[cfg(test)]
mod custom;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod options;
#[cfg(test)]
mod own_kind;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod world;
