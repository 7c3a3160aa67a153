//! What a caller of the crate sees.

mod allocations;
