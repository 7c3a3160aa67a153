//! Custom resources: kinds that users define.
//!
//! A CustomResourceDefinition becomes [`Custom`] types in the registry as soon as its names are
//! accepted ([`controller`]). Objects are pruned, defaulted ([`defaults`]) and validated
//! ([`validate`]) by the definition's schema. Versions differ in `apiVersion` only
//! (`conversion.strategy: None`).
//!
//! Differs from upstream: rules in CEL (`x-kubernetes-validations`) are not evaluated, and there are
//! no conversion webhooks; [`notes`] says so when a definition asks for them.
//!
//! Upstream: apiextensions-apiserver (v1.36).

mod condition;
mod controller;
mod custom;
mod defaults;
mod deletion;
mod format;
mod names;
mod notes;
mod pattern;
mod services;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use custom::{Custom, Scale, custom_schemas, served};
pub(crate) use deletion::before_delete;
pub(crate) use notes::notes;

use crate::server::Inner;
use std::sync::Arc;

/// The collection of definitions.
pub(crate) const DEFINITIONS: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// Begins to look after definitions, until the server's shutdown.
pub(crate) fn start(inner: &Arc<Inner>) {
    tokio::spawn(controller::run(inner.clone()));
}
