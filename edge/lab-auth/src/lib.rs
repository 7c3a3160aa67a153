//! Who is asking, and may they: keys and certificates, service-account tokens, RBAC, and the review APIs.
//!
//! No network and no clock: the lab server hands in bytes, objects and the time. Files are touched only by
//! [`pki::Authority::load_or_create`] and [`pki::write_private`].

pub mod bootstrap;
pub mod pki;
pub mod rbac;
pub mod review;
pub mod tokens;
pub mod user;

pub use rbac::{Attributes, Decision, RbacIndex};
pub use user::User;
