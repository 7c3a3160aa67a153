//! Role-based access control, as upstream's authorizer decides it.
//!
//! An [`RbacIndex`] is fed with roles and bindings as they change, and answers each request from maps.
//! Upstream: plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation (v1.36).

mod aggregate;
mod attributes;
mod escalation;
mod index;
mod rule;

pub use aggregate::aggregate;
pub use attributes::{Attributes, Decision};
pub use index::RbacIndex;
pub use rule::PolicyRule;

/// The API group of roles and bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";

#[cfg(test)]
mod tests;
