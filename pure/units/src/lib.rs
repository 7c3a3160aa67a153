//! Values that every other crate speaks in: points in time, spans of time, and Kubernetes' quantities.
//!
//! Not here: clocks, serde, anything that knows what a value is for.

mod digits;
pub mod duration;
pub mod quantity;
pub mod timestamp;

pub use duration::Duration;
pub use quantity::{Format, Quantity, QuantityError};
pub use timestamp::Timestamp;
