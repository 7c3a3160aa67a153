//! What the lab's API server knows about the shape of objects: types, patches, field checks,
//! server-side apply and the OpenAPI documents.
//!
//! Everything here is a function of values: no IO, no clock.

pub mod apply;
pub mod fields;
pub mod go;
pub mod openapi;
pub mod patch;
pub mod schema;

pub use schema::{Schema, TypeRef};
