//! The controller against a lab in memory.

#[cfg(test)]
mod aggregated;
#[cfg(test)]
mod custom;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod world;
